// What profiling with labels costs the handlers of peers/: CPU time of the whole process for a request with it, divided by that
// without, in one process in which it is switched on and off. Two processes of the same kind differ by more than it costs.
//     node packages/sdk-node/bench/handler-cost.mjs [blocks] [profile types, as cpu,wall]
// Any Node line; build and run scripts/bundle-sdk.mjs first.
// A block with it is compared with the halves of a block without before and after it. Each has one end of a window, at its end.
import { setTimeout as sleep } from "node:timers/promises";
import { flush, start, stop, tagWrapper } from "../bundle/index.js";
import { handlers, requestCounts } from "./peers/handlers.mjs";

const BLOCKS = Number(process.argv[2] ?? 12);
const profileTypes = process.argv[3]?.split(",");
const BLOCK_MS = 3000;
const WARM_UP_MS = 6000;

const runPlain = (_labels, run) => run();
const label = { without: runPlain, with: tagWrapper };

async function use(side) {
  const options = { applicationName: "bench", serverAddress: "http://127.0.0.1:1", logLevel: "off" };
  if (side === "without") await stop({ timeoutMs: 0 });
  else start({ ...options, uploadRate: "1h", ...(profileTypes && { profileTypes }) });
  // What V8 does at the start of its profiler.
  await sleep(100);
}

/** CPU microseconds of a request, eight at a time. */
async function run(side, handler, durationMs) {
  const before = process.cpuUsage();
  const end = performance.now() + durationMs;
  let count = 0;
  const work = async () => {
    for (; performance.now() < end; count++)
      await label[side]({ route: `/${count % 20}` }, handlers[handler]);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  // The window is read and converted at once; there is nobody to send it to.
  if (side === "with") await flush({ timeoutMs: 200 });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function measure(handler) {
  for (const side of ["without", "with", "without"]) {
    await use(side);
    await run(side, handler, WARM_UP_MS);
  }
  const ratios = [];
  let before = await run("without", handler, BLOCK_MS / 2);
  for (let i = 0; i < BLOCKS; i++) {
    await use("with");
    const profiled = await run("with", handler, BLOCK_MS);
    await use("without");
    const after = await run("without", handler, BLOCK_MS / 2);
    ratios.push((2 * profiled) / (before + after));
    before = after;
  }
  return ratios;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Where the mean lies in 95 of 100 draws of as many blocks. */
function bootstrap(ratios) {
  const draw = () => ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]);
  const means = Array.from({ length: 2000 }, () => mean(draw())).toSorted((left, right) => left - right);
  return [means[50], means[1949]];
}

for (const handler of Object.keys(requestCounts)) {
  const ratios = await measure(handler);
  const [low, high] = bootstrap(ratios);
  const middle = ratios.toSorted((left, right) => left - right)[ratios.length >> 1];
  console.log(
    `Node ${process.version}, ${handler} handler, ${BLOCKS} blocks: mean ratio ${mean(ratios).toFixed(3)}, ` +
      `95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}, median ${middle.toFixed(3)}`,
  );
}
process.exit();
