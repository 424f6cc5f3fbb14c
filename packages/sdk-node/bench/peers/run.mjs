// This SDK beside no profiler and three others, in one paired run of some five minutes, as the table of docs/benchmarks.md:
//     pnpm bench:sdk [rounds] [seconds of steady load]
// Build and run scripts/bundle-sdk.mjs first: the SDK is the packed one. Peers are installed into the temporary directory. The machine
// should have nothing else to do.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installOnDemand } from "../../../../scripts/install-on-demand.mjs";
import { peerVersions, profilers, WINDOW_SECONDS } from "./profilers.mjs";
import { readProfiles, startCollector, sumPlanted } from "./uploads.mjs";

const rounds = Number(process.argv[2] ?? 40);
const steadySeconds = Number(process.argv[3] ?? 33);
const STARTS = 5;

const names = Object.keys(profilers);
const directory = installOnDemand("peers", peerVersions);
const program = fileURLToPath(new URL("program.mjs", import.meta.url));
const workDirectory = mkdtempSync(join(tmpdir(), "bench-sdk-"));

async function startProcess(name) {
  const collector = await startCollector();
  const child = fork(program, [name, directory, collector.url], {
    cwd: workDirectory,
    env: { PATH: process.env.PATH, ...profilers[name].environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${name} ended with ${code}`);
  });
  failed.catch(() => {});
  const answer = async () => (await Promise.race([once(child, "message"), failed]))[0];
  const started = await answer();
  return {
    name,
    started,
    collector,
    ask(request) {
      const answered = answer();
      child.send(request);
      return answered;
    },
    async end() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      collector.close();
    },
  };
}

function shuffle(list) {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
}

const at = (sorted, share) => sorted[Math.floor(share * (sorted.length - 1))];
const sort = (values) => values.toSorted((a, b) => a - b);
const median = (values) => at(sort(values), 0.5);

/** Median and the notch of a box plot, which is how well the median is known (95 %). */
function formatRatio(ratios) {
  const sorted = sort(ratios);
  const notch = (1.57 * (at(sorted, 0.75) - at(sorted, 0.25))) / Math.sqrt(sorted.length);
  return `${at(sorted, 0.5).toFixed(3)} ±${notch.toFixed(3)}`;
}

const rows = [];
const addRow = (title, cell) => rows.push([title, ...names.map((name) => cell(name))]);

async function measureStarts() {
  const starts = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 0; i < STARTS; i++) {
    for (const name of shuffle(names)) {
      const child = await startProcess(name);
      starts[name].push(child.started.startedCpuMs);
      await child.end();
    }
  }
  const base = median(starts.none);
  addRow("start-up, CPU time beyond that of the program", (name) =>
    name === "none" ? `(${base.toFixed(0)} ms)` : `${(median(starts[name]) - base).toFixed(0)} ms`,
  );
}

async function measureBlocks(processes, handler) {
  const ask = (child) => child.ask({ kind: "block", handler });
  for (let i = 0; i < 4; i++) for (const child of processes) await ask(child);
  const ratios = Object.fromEntries(names.map((name) => [name, { cpu: [], p50: [], p99: [] }]));
  for (let round = 0; round < rounds; round++) {
    const results = {};
    for (const child of shuffle(processes)) {
      const { cpuMs, latencies } = await ask(child);
      const sorted = sort(latencies);
      results[child.name] = { cpu: cpuMs, p50: at(sorted, 0.5), p99: at(sorted, 0.99) };
    }
    for (const name of names) {
      for (const key of ["cpu", "p50", "p99"]) ratios[name][key].push(results[name][key] / results.none[key]);
    }
  }
  const title = handler === "cpu" ? "CPU handler" : "await-only handler";
  for (const [key, what] of [
    ["cpu", "process CPU"],
    ["p50", "p50 of 8 at a time"],
    ["p99", "p99"],
  ]) {
    addRow(`${title}: ${what}, times no profiler`, (name) =>
      name === "none" ? "1" : formatRatio(ratios[name][key]),
    );
  }
}

async function measureSteady(processes) {
  const results = {};
  for (const child of processes) {
    const { uploads } = child.collector;
    const from = uploads.length;
    const result = await child.ask({ kind: "steady", seconds: steadySeconds });
    const files = result.files.map((text) => ({ type: "", body: Buffer.from(text, "base64") }));
    const sent = uploads.slice(from);
    results[child.name] = {
      ...result,
      bytes: [...sent, ...files].reduce((total, { body }) => total + body.length, 0),
      ...sumPlanted([...sent, ...files].flatMap(readProfiles)),
    };
  }
  const { none } = results;
  const cell = (format) => (name) => (name === "none" ? "" : format(results[name], name));
  addRow(`${steadySeconds} s of 100 requests/s: process CPU with uploads, times no profiler`, (name) =>
    (results[name].cpuPerRequestMs / none.cpuPerRequestMs).toFixed(3),
  );
  addRow("… longest turn of the event loop", (name) => `${results[name].longestTurnMs.toFixed(1)} ms`);
  addRow("… resident memory", (name) =>
    name === "none"
      ? `(${(none.rssBytes / 2 ** 20).toFixed(0)} MiB)`
      : `${((results[name].rssBytes - none.rssBytes) / 2 ** 20).toFixed(0)} MiB more`,
  );
  addRow(
    "… bytes uploaded a minute",
    cell(({ bytes }) => `${((bytes * 60) / steadySeconds / 1000).toFixed(0)} kB`),
  );
  addRow(
    "… time with the right label",
    cell(({ labelledShare, total }) => (total > 0 ? `${(100 * labelledShare).toFixed(1)} %` : "none seen")),
  );
  addRow(
    "… planted 70, 20, 10 %",
    cell(({ shares, total }) =>
      total > 0 ? shares.map((share) => share.toFixed(1)).join(", ") : "none seen",
    ),
  );
}

async function measureLabels(processes) {
  const nanos = {};
  for (const child of processes) nanos[child.name] = (await child.ask({ kind: "labels" })).nanos;
  addRow("one call with labels", (name) =>
    name === "none" || name === "flame" ? "" : `${nanos[name].toFixed(0)} ns`,
  );
}

const began = performance.now();
const processes = [];
try {
  await measureStarts();
  for (const name of names) processes.push(await startProcess(name));
  // What comes once in the life of a process, with its first window, is no part of what a request costs.
  await sleep((WINDOW_SECONDS + 2) * 1000);
  await measureBlocks(processes, "cpu");
  await measureBlocks(processes, "await");
  await measureLabels(processes);
  await measureSteady(processes);
} finally {
  for (const child of processes) await child.end();
  rmSync(workDirectory, { recursive: true });
}
const heads = names.map((name) => {
  const { title } = profilers[name];
  return [title, peerVersions[title]].filter(Boolean).join(" ");
});
for (const cells of [["", ...heads], ["---", ...names.map(() => "---")], ...rows]) {
  console.log(`| ${cells.join(" | ")} |`);
}
console.log(
  `\nNode ${process.version}, ${rounds} rounds, ${((performance.now() - began) / 60_000).toFixed(1)} minutes, ` +
    `load of the machine at the end ${loadavg()[0].toFixed(1)}.`,
);
