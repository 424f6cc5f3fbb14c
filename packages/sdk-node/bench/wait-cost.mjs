// What the profile `wait` costs a handler that does nothing but await: process CPU with it against without it, in
// pairs within one process. Build first. Arguments: number of pairs (20), `labels` to run the handler in tagWrapper.
import { start, stop, tagWrapper } from "@pyroscope-ts/sdk-node";

const pairCount = Number(process.argv[2] ?? 20);
const hasLabels = process.argv[3] === "labels";

async function handler() {
  for (let i = 0; i < 900; i++) await null;
  await new Promise((resolve) => setTimeout(resolve, 0));
}

async function serve() {
  for (let i = 0; i < 1200; i++) {
    if (hasLabels) await tagWrapper({ route: "/" }, handler);
    else await handler();
  }
}

async function measure(profileTypes) {
  start({ applicationName: "bench", protocol: "none", profileTypes, logLevel: "error" });
  await serve();
  const before = process.cpuUsage();
  await serve();
  const { user, system } = process.cpuUsage(before);
  await stop();
  return user + system;
}

const base = ["cpu", "wall"];
for (let i = 0; i < 4; i++) await measure([...base, "wait"]);
const ratios = [];
for (let i = 0; i < pairCount; i++) {
  const first = await measure(i % 2 === 0 ? base : [...base, "wait"]);
  const second = await measure(i % 2 === 0 ? [...base, "wait"] : base);
  ratios.push(i % 2 === 0 ? second / first : first / second);
}
ratios.sort((a, b) => a - b);
const at = (share) => ratios[Math.floor(share * (pairCount - 1))].toFixed(3);
// The notch of a box plot: the median is that well known.
const notch = (1.57 * (at(0.75) - at(0.25))) / Math.sqrt(pairCount);
console.log(
  `Node ${process.version}${hasLabels ? ", labels" : ""}: CPU with wait / without, median of ${pairCount} pairs ` +
    `${at(0.5)} ±${notch.toFixed(3)} (quartiles ${at(0.25)} to ${at(0.75)})`,
);
