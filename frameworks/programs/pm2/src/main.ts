import { createServer } from "node:http";
import { start } from "@pyroscope-ts/sdk-node";
import { closeShop, priceCart } from "./shop";

start({ applicationName: "shop" });

createServer((request, response) => {
  const work = request.url === "/last" ? closeShop : priceCart;
  response.setHeader("connection", "close");
  response.end(JSON.stringify({ total: work({ items: 1000 }) }));
}).listen(Number(process.env.PORT), "127.0.0.1");
