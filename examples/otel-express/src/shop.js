// The shop. `/report` is slow, and its code does not look like it.
import { get } from "node:http";
import express from "express";
import { makeOrders, sortByCustomer, totalOf } from "./orders.js";
import { listRepeatCustomers } from "./report.js";

const { STOCK_ADDRESS: stockAddress = "http://127.0.0.1:3001", PORT: port = "3000" } = process.env;

const orders = makeOrders(5000);
const shop = express();

shop.get("/cart", (_request, response) => {
  response.json({ total: totalOf(orders.slice(0, 300)) });
});

// What is in stock is the other service's to say: one trace, two services.
shop.get("/checkout", async (_request, response) => {
  const stock = await readJson(`${stockAddress}/stock`);
  response.json({ latest: sortByCustomer(orders).slice(0, 10), stock });
});

shop.get("/report", (_request, response) => {
  response.json({ customers: listRepeatCustomers(orders).length });
});

const server = shop.listen(Number(port), "127.0.0.1", () => {
  console.log(`shop: listening on http://127.0.0.1:${server.address().port}`);
});

function readJson(url) {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(JSON.parse(body)));
    }).on("error", reject);
  });
}
