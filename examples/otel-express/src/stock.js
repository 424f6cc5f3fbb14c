// What is in stock: a second service, so that a trace has two.
import express from "express";

const { PORT: port = "3001" } = process.env;

const stock = express();

stock.get("/stock", (_request, response) => {
  response.json({ shelves: countShelves(4_000_000) });
});

const server = stock.listen(Number(port), "127.0.0.1", () => {
  console.log(`stock: listening on http://127.0.0.1:${server.address().port}`);
});

function countShelves(items) {
  let shelves = 0;
  for (let item = 0; item < items; item++) shelves += Math.sqrt(item) % 7 < 1 ? 1 : 0;
  return shelves;
}
