// The requests that profilers are compared with.
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";

const users = Array.from({ length: 60 }, (_, id) => ({ id, name: `user ${id}`, tags: ["a", "b", `${id}`] }));

function compute(count) {
  let hash = "";
  for (let i = 0; i < count; i++) {
    const text = JSON.stringify(users);
    hash = createHash("sha256").update(text).digest("hex");
    JSON.parse(text);
  }
  return hash;
}

async function step(i) {
  await null;
  return i * 2;
}

/** What a request does: half of it computing, or nothing but awaiting. */
export const handlers = {
  async cpu() {
    compute(8);
    for (let i = 0; i < 10; i++) await step(i);
    await turn();
    compute(8);
    for (let i = 0; i < 10; i++) await step(i);
  },
  async await() {
    for (let i = 0; i < 300; i++) await step(i);
    await turn();
  },
};
// A third of a second of work each.
export const requestCounts = { cpu: 150, await: 4000 };
