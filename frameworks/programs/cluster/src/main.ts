import cluster from "node:cluster";
import { createServer } from "node:http";
import { start } from "@pyroscope-ts/sdk-node";
import { closeShop, priceCart } from "./shop.js";

start({ applicationName: "shop" });

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork();
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.kill("SIGTERM");
    cluster.disconnect();
  });
} else {
  createServer((request, response) => {
    const work = request.url === "/last" ? closeShop : priceCart;
    response.setHeader("connection", "close");
    response.end(JSON.stringify({ total: work({ items: 1000 }) }));
  }).listen(Number(process.env.PORT), "127.0.0.1");
}
