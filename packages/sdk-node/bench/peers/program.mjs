// One profiled process of the comparison: does what its parent asks for. Arguments: profiler, folder of the peers, server.
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { handlers, requestCounts } from "./handlers.mjs";
import { profilers, requireFrom } from "./profilers.mjs";

const [name, directory, serverAddress] = process.argv.slice(2);
const { label, readFiles } = await profilers[name].start(serverAddress, requireFrom(directory));
const startedCpuMs = cpuMs();

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A block of requests, eight at a time. */
async function runBlock({ handler }) {
  const handle = handlers[handler];
  const latencies = [];
  let left = requestCounts[handler];
  const before = cpuMs();
  const worker = async () => {
    while (left-- > 0) {
      const begin = performance.now();
      await label({ route: `/${left % 20}` }, handle);
      latencies.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return { cpuMs: cpuMs() - before, latencies };
}

// The same work under three names: 7, 2 and 1 of 10 requests.
function unit() {
  let sum = 0;
  for (let i = 0; i < 250_000; i++) sum += Math.sqrt(i);
  return sum;
}
function most() {
  return unit() + 1;
}
function some() {
  return unit() + 2;
}
function little() {
  return unit() + 3;
}
const planted = [most, some, most, most, little, most, some, most, most, most];

async function handlePlanted(work) {
  work();
  await sleep(2);
  work();
  await null;
  work();
}

/** Requests at a steady pace; the longest turn of the event loop in CPU time of its thread, which other programs do not lengthen. */
async function runSteadily({ seconds }) {
  const before = cpuMs();
  const threadCpu = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let last = { ms: performance.now(), cpuMs: threadCpu() };
  const turns = [];
  const probe = setInterval(() => {
    const now = { ms: performance.now(), cpuMs: threadCpu() };
    turns.push(Math.min(now.ms - last.ms, now.cpuMs - last.cpuMs));
    last = now;
  }, 1);
  const end = performance.now() + seconds * 1000;
  const running = [];
  let count = 0;
  for (; performance.now() < end; count++) {
    const work = planted[count % planted.length];
    running.push(label({ route: `/${work.name}` }, () => handlePlanted(work)));
    await sleep(8);
  }
  await Promise.all(running);
  clearInterval(probe);
  turns.sort((a, b) => b - a);
  const files = (await readFiles?.()) ?? [];
  return {
    cpuPerRequestMs: (cpuMs() - before) / count,
    longestTurnMs: turns[0],
    rssBytes: process.memoryUsage.rss(),
    files,
  };
}

/** Nanoseconds of one call with labels, the best of some rounds. */
async function measureLabels() {
  const CALLS = 20_000;
  let sum = 0;
  const run = () => {
    sum++;
  };
  const rounds = [];
  for (let round = 0; round < 15; round++) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) label({ route: "/cart" }, run);
    rounds.push(Number(process.hrtime.bigint() - before) / CALLS);
    await turn();
  }
  return { nanos: Math.min(...rounds), sum };
}

const actions = { block: runBlock, steady: runSteadily, labels: measureLabels };

process.on("message", async ({ kind, ...request }) => process.send(await actions[kind](request)));
process.send({ startedCpuMs, startedMs: performance.now() });
