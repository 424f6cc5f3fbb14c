// How long a flush holds up the event loop, and what it costs: reading the native profiler, converting and handing over on the
// profiled thread, encoding and compressing on the helper thread.
//     node --expose-gc packages/sdk-node/bench/flush-stall.mjs [seconds per window] [windows]
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { flush, start, status, stop, tagWrapper } from "../dist/index.js";

const [windowSeconds = "15", windows = "6"] = process.argv.slice(2);

// CPU time of this thread, which another process on the machine does not lengthen. Node 20 and 22 know only that of all
// threads, which is an upper bound, as the time is.
const cpuUsage = process.threadCpuUsage ?? process.cpuUsage;
function now() {
  // Brings the clock of the thread up to date on Linux.
  process.cpuUsage();
  const { user, system } = cpuUsage.call(process);
  return { ms: performance.now(), cpuMs: (user + system) / 1000 };
}
const spentMs = (from, until) => Math.min(until.ms - from.ms, until.cpuMs - from.cpuMs);

const readings = [];
const { TimeProfiler } = createRequire(import.meta.url)("@datadog/pprof/out/src/time-profiler-bindings.js");
const { stop: readNative } = TimeProfiler.prototype;
TimeProfiler.prototype.stop = function timed(restart) {
  const before = now();
  const tree = readNative.call(this, restart);
  readings.push(spentMs(before, now()));
  return tree;
};

const server = createServer((request, response) => {
  let bytes = 0;
  request.on("data", (chunk) => {
    bytes += chunk.length;
  });
  request.on("end", () => response.writeHead(200, { "x-bytes": bytes }).end());
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
start({
  applicationName: "bench",
  serverAddress: `http://127.0.0.1:${server.address().port}`,
  // Pieces are read as in a program; the end of the window is a flush() of this one.
  uploadRate: "15s",
  logger: null,
});

// 80 call paths of different depth under 20 routes.
const functions = Array.from({ length: 80 }, (_, i) =>
  new Function(
    "next",
    `return function work${i}(depth) { return depth === 0 ? next(2) : work${i}(depth - 1) }`,
  )(burn),
);

function burn(ms) {
  const end = performance.now() + ms;
  let x = 0;
  while (performance.now() < end) for (let i = 0; i < 200; i++) x += Math.sqrt(i);
  return x;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function load(ms) {
  const end = performance.now() + ms;
  for (let i = 0; performance.now() < end; i++) {
    await tagWrapper({ route: `/r${i % 20}` }, async () => {
      functions[i % functions.length](i % 25);
      await sleep(1);
    });
  }
}

// The longest turn of the event loop while `work` runs, in the same time as above.
async function longestTurnMs(work) {
  let longest = 0;
  let last = now();
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    const next = now();
    longest = Math.max(longest, spentMs(last, next));
    last = next;
  }
  await done;
  return longest;
}

const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const format = (values) =>
  `median ${percentile(values, 0.5).toFixed(2)}, p99 ${percentile(values, 0.99).toFixed(2)} ms`;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const turns = [];
const threadMs = [];
const helperMs = [];
const nativeMs = [];
const pieceMs = [];
let before = status().overhead;
const startedMs = performance.now();
for (let window = 0; window < Number(windows); window++) {
  await load(Number(windowSeconds) * 1000);
  const turn = await longestTurnMs(flush);
  const { overhead } = status();
  // The first window runs code that is not compiled yet.
  if (window > 0) {
    turns.push(turn);
    threadMs.push(overhead.threadMs - before.threadMs);
    helperMs.push(overhead.helperMs - before.helperMs);
    nativeMs.push(sum(readings));
    pieceMs.push(...readings);
  }
  readings.length = 0;
  before = overhead;
}
const elapsedMs = performance.now() - startedMs;
const share = (sum(threadMs) + sum(helperMs)) / (elapsedMs * (1 - 1 / Number(windows)));
console.log(`${process.version}, windows of ${windowSeconds} s`);
console.log(`longest turn of a flush       ${format(turns)}`);
console.log(`reading a piece               ${format(pieceMs)}`);
console.log(`per window: reading           ${format(nativeMs)}`);
console.log(`            thread in all     ${format(threadMs)}`);
console.log(`            helper, encoding  ${format(helperMs)}`);
console.log(`share of a core               ${(share * 100).toFixed(2)} %`);
await stop();
server.close();
