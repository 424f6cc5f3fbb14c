// Fuzzes decoders: `npm run test:fuzz -- [--corpus DIRECTORY] [SECONDS [TARGET...]]`. Inputs that reach new code are changed
// further, as libFuzzer does; V8 says what was reached. With a corpus, the next run goes on from what this one kept. What throws
// anything but a refusal, or takes half a second of CPU, is saved in fuzz/crashes/ and ends the run with 1: `npm test` runs
// those files again.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { mutate } from "./mutate.ts";
import { seeds } from "./seeds.ts";
import { run, targets } from "./targets.ts";

const { values, positionals } = parseArgs({
  options: { corpus: { type: "string" } },
  allowPositionals: true,
});
const [seconds = "60", ...chosen] = positionals;
const names = chosen.length > 0 ? chosen : Object.keys(targets);
// Inputs between two looks at what was reached. A look takes as long as hundreds of small inputs: the fewer find something
// new, the fewer looks.
const MIN_BATCH = 100;
const MAX_BATCH = 6400;
// Longest between two looks: of a decoder that is slow, a batch may take minutes.
const MAX_BATCH_MS = 2000;
// CPU time: on a busy machine the clock on the wall says little.
const MAX_MILLIS = 500;
// Longer inputs find little that shorter ones do not, and slowly.
const MAX_BYTES = 64 * 1024;
/** A target with so many defects has had enough. */
const MAX_CRASHES = 5;

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

function fileNameOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function save(name: string, bytes: Uint8Array, what: string): void {
  const folder = new URL(`crashes/${name}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = fileNameOf(bytes);
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

/** What earlier runs kept, and where this one keeps more. */
function openCorpus(name: string): { readonly kept: readonly Uint8Array[]; keep(bytes: Uint8Array): void } {
  if (values.corpus === undefined) return { kept: [], keep: () => undefined };
  const folder = join(values.corpus, name);
  mkdirSync(folder, { recursive: true });
  return {
    kept: readdirSync(folder).map((file) => readFileSync(join(folder, file))),
    keep: (bytes) => writeFileSync(join(folder, fileNameOf(bytes)), bytes),
  };
}

/** Runs one batch; returns its inputs, and how many showed a defect. */
function runBatch(
  name: string,
  size: number,
  next: () => Uint8Array,
): { inputs: Uint8Array[]; crashes: number } {
  const until = Date.now() + MAX_BATCH_MS;
  const inputs: Uint8Array[] = [];
  let crashes = 0;
  while (inputs.length < size && crashes < MAX_CRASHES && Date.now() < until) {
    const bytes = next();
    inputs.push(bytes);
    if (!check(name, bytes)) crashes++;
  }
  return { inputs, crashes };
}

async function fuzz(name: string): Promise<number> {
  const { kept, keep } = openCorpus(name);
  const corpus = [...(seeds[name] ?? []), ...kept].filter((seed) => seed.length <= MAX_BYTES);
  if (corpus.length === 0) throw new Error(`${name}: expected one of ${Object.keys(targets).join(", ")}`);
  const pick = (below: number): number => Math.floor(Math.random() * below);
  const one = (): Uint8Array => corpus[pick(corpus.length)] ?? new Uint8Array(0);
  // The shorter of two: short inputs reach as much, and faster.
  const any = (): Uint8Array =>
    [one(), one()].reduce((left, right) => (left.length < right.length ? left : right));
  const until = Date.now() + Number(seconds) * 1000;
  let batchSize = MIN_BATCH;
  let count = 0;
  let crashCount = 0;
  for (const seed of corpus) if (!check(name, seed)) crashCount++;
  await hasReachedMore();
  while (Date.now() < until && crashCount < MAX_CRASHES) {
    const { inputs, crashes } = runBatch(name, batchSize, () =>
      mutate(any(), any(), pick).subarray(0, MAX_BYTES),
    );
    count += inputs.length;
    crashCount += crashes;
    if (!(await hasReachedMore())) {
      batchSize = Math.min(MAX_BATCH, 2 * batchSize);
      continue;
    }
    // Some of the batch did. What is kept is a tenth of a small one: what led there comes up again, and the corpus does
    // not fill with the rest.
    const some = inputs.filter(() => pick(inputs.length) < MIN_BATCH / 10);
    for (const bytes of some) keep(bytes);
    corpus.push(...some);
    batchSize = MIN_BATCH;
  }
  console.log(
    `${name}: ${count} inputs, ${corpus.length} kept, ${reached.size} places reached, ${crashCount} defects`,
  );
  return crashCount;
}

let crashCount = 0;
for (const name of names) crashCount += await fuzz(name);
if (crashCount > 0) process.exitCode = 1;
