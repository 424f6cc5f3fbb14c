import { Pool } from "undici";

const SEARCHES = [
  "red lamp",
  "quiet kettle for the office",
  "steel bicycle basket",
  "wool jacket",
  "paper clock",
];

/**
 * Sends requests to the shop at a steady pace until it is stopped: three searches, then one checkout, and every
 * fourth request for a customer of the "plus" kind.
 *
 * @param {string} address - Where the shop listens.
 * @param {{ requestsPerSecond: number }} options
 * @returns {{ stop(): Promise<void> }}
 */
export function startLoad(address, { requestsPerSecond }) {
  const pool = new Pool(address, { connections: 8 });
  let count = 0;
  const timer = setInterval(() => {
    // A shop that is going down refuses requests; the load has nothing to say about it.
    sendOne(pool, count++).catch(() => {});
  }, 1000 / requestsPerSecond);
  return {
    async stop() {
      clearInterval(timer);
      await pool.destroy();
    },
  };
}

async function sendOne(pool, count) {
  const headers = { "x-customer": count % 4 === 0 ? "plus" : "free", "content-type": "application/json" };
  const isCheckout = count % 4 === 3;
  const { body } = isCheckout
    ? await pool.request({
        method: "POST",
        path: "/checkout",
        headers,
        body: JSON.stringify({ lines: chooseLines(count) }),
      })
    : await pool.request({
        method: "GET",
        path: "/products",
        query: { search: SEARCHES[count % SEARCHES.length] },
        headers,
      });
  await body.dump();
}

function chooseLines(count) {
  return Array.from({ length: 6 }, (_, index) => ({
    productId: 1 + ((count * 31 + index * 97) % 1500),
    quantity: 1 + (index % 3),
  }));
}
