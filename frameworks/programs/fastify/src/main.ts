import { start } from "@pyroscope-ts/sdk-node";
import { fastifyLabels } from "@pyroscope-ts/sdk-node/http";
import createFastify from "fastify";
import { closeShop, priceCart } from "./shop.js";

start({ applicationName: "shop" });

const app = createFastify();
app.register(fastifyLabels);
app.get("/price", () => ({ total: priceCart({ items: 1000 }) }));
app.get("/last", () => ({ total: closeShop({ items: 1000 }) }));
process.once("SIGTERM", () => void app.close());
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
