// Fuzzes decoders: `npm run test:fuzz -- [SECONDS [TARGET...]]`. Inputs that reach new code are changed further, as libFuzzer
// does; V8 says what was reached. What throws anything but a refusal, or takes half a second of CPU, is saved in fuzz/crashes/ and ends
// the run with 1: `npm test` runs those files again.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import process, { argv } from "node:process";
import { mutate } from "./mutate.ts";
import { seeds } from "./seeds.ts";
import { run, targets } from "./targets.ts";

const [seconds = "60", ...chosen] = argv.slice(2);
const names = chosen.length > 0 ? chosen : Object.keys(targets);
const BATCH = 100;
// CPU time: on a busy machine the clock on the wall says little.
const MAX_MILLIS = 500;
// Longer inputs find little that shorter ones do not, and slowly.
const MAX_BYTES = 64 * 1024;

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
const reached = new Set<string>();

/** Whether anything since the last call reached code of ours for the first time. */
async function hasReachedMore(): Promise<boolean> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const before = reached.size;
  for (const { url, functions } of result) {
    if (!url.includes("/packages/")) continue;
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count > 0) reached.add(`${url} ${startOffset} ${endOffset}`);
      }
    }
  }
  return reached.size > before;
}

function save(name: string, bytes: Uint8Array, what: string): void {
  const folder = new URL(`crashes/${name}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  writeFileSync(new URL(file, folder), bytes);
  console.error(`${name}: ${what}\n  saved as fuzz/crashes/${name}/${file}`);
}

/** Runs one input; returns false, and keeps it, when it shows a defect. */
function check(name: string, bytes: Uint8Array): boolean {
  const start = process.cpuUsage();
  try {
    run(name, new Uint8Array(bytes));
  } catch (error) {
    save(name, bytes, error instanceof Error ? (error.stack ?? error.message) : String(error));
    return false;
  }
  const { user, system } = process.cpuUsage(start);
  const millis = (user + system) / 1000;
  if (millis > MAX_MILLIS) save(name, bytes, `took ${Math.round(millis)} ms`);
  return millis <= MAX_MILLIS;
}

async function fuzz(name: string): Promise<number> {
  const corpus: Uint8Array[] = (seeds[name] ?? []).filter((seed) => seed.length <= MAX_BYTES);
  if (corpus.length === 0) throw new Error(`${name}: expected one of ${Object.keys(targets).join(", ")}`);
  const pick = (below: number): number => Math.floor(Math.random() * below);
  const any = (): Uint8Array => corpus[pick(corpus.length)] ?? new Uint8Array(0);
  const until = Date.now() + Number(seconds) * 1000;
  let count = 0;
  let crashCount = 0;
  for (const seed of corpus) check(name, seed);
  await hasReachedMore();
  while (Date.now() < until && crashCount < 5) {
    const batch = Array.from({ length: BATCH }, () => mutate(any(), any(), pick).subarray(0, MAX_BYTES));
    for (const bytes of batch) if (!check(name, bytes)) crashCount++;
    count += BATCH;
    if (!(await hasReachedMore())) continue;
    // Some of the batch did. A tenth stays: what led there comes up again, and the corpus does not fill with the rest.
    corpus.push(...batch.filter(() => pick(10) === 0));
  }
  console.log(
    `${name}: ${count} inputs, ${corpus.length} kept, ${reached.size} places reached, ${crashCount} defects`,
  );
  return crashCount;
}

let crashCount = 0;
for (const name of names) crashCount += await fuzz(name);
if (crashCount > 0) process.exitCode = 1;
