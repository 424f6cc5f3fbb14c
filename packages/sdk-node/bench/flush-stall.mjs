// How long a flush holds up the event loop: the longest turn of it while a window is taken, converted and sent.
//     node --expose-gc packages/sdk-node/bench/flush-stall.mjs [seconds per window] [windows]
import { createServer } from "node:http";
import { flush, start, stop, tagWrapper } from "../dist/index.js";

const [windowSeconds = "5", windows = "6"] = process.argv.slice(2);

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
  uploadRate: "1h",
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

// Lateness of the event loop's turns, all the time while a flush runs.
async function longestTurnMs(work) {
  let longest = 0;
  let last = performance.now();
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await done;
  return longest;
}

for (let window = 1; window <= Number(windows); window++) {
  await load(Number(windowSeconds) * 1000);
  globalThis.gc?.();
  const idle = await longestTurnMs(() => sleep(100));
  const cpu = process.cpuUsage();
  const stall = await longestTurnMs(flush);
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `window ${window}: longest turn ${stall.toFixed(1)} ms (${idle.toFixed(1)} without a flush), ${((user + system) / 1000).toFixed(0)} ms CPU`,
  );
}
await stop();
server.close();
