// What one tagWrapper call costs, in nanoseconds, beside AsyncLocalStorage.run in the same run.
//     node packages/sdk-node/bench/label-cost.mjs        (any Node line; needs a build)
import { AsyncLocalStorage } from "node:async_hooks";
import { start, status, stop, tagWrapper } from "../dist/index.js";

const CALLS = 50_000;
const ROUNDS = 15;

start({ applicationName: "bench", serverAddress: "http://127.0.0.1:1", uploadRate: "1h", logLevel: "off" });

const storage = new AsyncLocalStorage();
const store = {};
let calls = 0;
const fn = () => {
  calls++;
};
const same = { route: "/a" };
let fresh = 0;

const cases = {
  "AsyncLocalStorage.run": () => storage.run(store, fn),
  "tagWrapper, one object": () => tagWrapper(same, fn),
  "tagWrapper, new object, known labels": () => tagWrapper({ route: "/a" }, fn),
  "tagWrapper, two known labels": () => tagWrapper({ route: "/a", method: "GET" }, fn),
  // Each value once, then overflow: what an unbounded label costs.
  "tagWrapper, value never seen": () => tagWrapper({ user: fresh++ }, fn),
};

const times = new Map(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, call] of Object.entries(cases)) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    times.get(name).push(Number(process.hrtime.bigint() - before) / CALLS);
  }
}

console.log(`Node ${process.version}, labels by ${status().labelMechanism}`);
const base = Math.min(...times.get("AsyncLocalStorage.run"));
for (const [name, nanos] of times) {
  nanos.sort((a, b) => a - b);
  const [best] = nanos;
  const median = nanos[ROUNDS >> 1];
  console.log(
    `${name.padEnd(40)} min ${best.toFixed(0)} ns, median ${median.toFixed(0)} ns, ${(best / base).toFixed(2)} x`,
  );
}
console.log(`${calls} calls`);
await stop({ timeoutMs: 0 });
