// What one tagWrapper call costs, in nanoseconds of CPU time, beside AsyncLocalStorage.run in the same run. CPU time, because
// that is nearly the same on a busy machine; the ratio is the median of those of single rounds.
//     node packages/sdk-node/bench/label-cost.mjs        (any Node line; needs a build)
import { AsyncLocalStorage } from "node:async_hooks";
import { start, status, stop, tagWrapper } from "../dist/index.js";

const CALLS = 100_000;
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
    const before = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) call();
    const { user, system } = process.cpuUsage(before);
    times.get(name).push(((user + system) * 1000) / CALLS);
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

console.log(`Node ${process.version}, labels by ${status().labelMechanism}`);
const base = times.get("AsyncLocalStorage.run");
for (const [name, nanos] of times) {
  const ratio = median(nanos.map((value, round) => value / base[round]));
  const [best, middle] = [Math.min(...nanos), median(nanos)].map((value) => value.toFixed(0));
  console.log(`${name.padEnd(40)} min ${best} ns, median ${middle} ns, ${ratio.toFixed(2)} x`);
}
console.log(`${calls} calls`);
await stop({ timeoutMs: 0 });
