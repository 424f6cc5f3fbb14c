import { setTimeout as wait } from "node:timers/promises";
import { tagWrapper } from "@pyroscope-ts/sdk-node";
import express from "express";
import { findProduct, searchProducts } from "./catalog.js";
import { priceCart } from "./pricing.js";

/**
 * The shop as an Express application. Every handler runs inside `tagWrapper`, so that each sample says which route
 * and which kind of customer it worked for, across everything the handler awaits.
 *
 * @param {{ slowPath: boolean }} flags - Changed by `POST /slow-path/on` and `/slow-path/off`.
 */
export function createShop(flags) {
  const shop = express();
  shop.use(express.json({ limit: "16kb" }));

  /** @returns {import("express").RequestHandler} */
  const handler = (route, handle) => (request, response) =>
    tagWrapper({ route, customer: request.get("x-customer") === "plus" ? "plus" : "free" }, () =>
      handle(request, response),
    );

  shop.get(
    "/products",
    handler("/products", async function listProducts(request, response) {
      await readStock();
      response.json(searchProducts(String(request.query.search ?? "")));
    }),
  );

  shop.post(
    "/checkout",
    handler("/checkout", async function checkOut(request, response) {
      const lines = toLines(request.body);
      if (lines === undefined) {
        response
          .status(400)
          .json({ error: "expected { lines: [{ productId, quantity }] } with 1 to 50 lines" });
        return;
      }
      await readStock();
      response.json(priceCart(lines, flags));
    }),
  );

  shop.post("/slow-path/:state", (request, response) => {
    const { state } = request.params;
    if (state !== "on" && state !== "off") {
      response.status(404).json({ error: `slow path ${JSON.stringify(state)}: expected on or off` });
      return;
    }
    flags.slowPath = state === "on";
    response.json({ slowPath: flags.slowPath });
  });

  return shop;
}

/** Stands for the database: takes time, but no CPU time. */
async function readStock() {
  await wait(2);
}

function toLines(body) {
  if (!Array.isArray(body?.lines) || body.lines.length < 1 || body.lines.length > 50) return undefined;
  const lines = body.lines.map((line) => ({
    cents: findProduct(Number(line?.productId))?.cents,
    quantity: Number(line?.quantity),
  }));
  const isValid = lines.every(
    (line) => line.cents !== undefined && Number.isInteger(line.quantity) && line.quantity > 0,
  );
  return isValid ? lines : undefined;
}
