import { createRequire } from "node:module";
import { Profile as PprofFormatProfile } from "pprof-format";
import { test } from "vitest";
import { generateProfile } from "../testing/generated-profile.fixture.ts";
import { REAL_PROFILES, readTestdata } from "../testing/real-profile.fixture.ts";
import { encodePprof } from "./encode-pprof.ts";

// Loaded by Node itself, as pprof-format is: vitest turns every use of an imported name into a read of a property, which
// makes code of several modules four times as slow as what users run.
const { decodePprof } = createRequire(import.meta.url)(
  "./decode-pprof.ts",
) as typeof import("./decode-pprof.ts");

// The goal is 10 times pprof-format on every input. It is printed and not asserted: on a shared machine a bench that
// fails tells nothing.
const ROUND_COUNT = 41;
const WARM_UP_MS = 300;
/** About what one decoder runs in a round: long enough to be timed, short enough for rounds to see the same machine. */
const ROUND_MS = 3;

const inputs = [
  ...REAL_PROFILES.map(({ file }) => ({ name: file, bytes: readTestdata(file) })),
  ...[1_000, 10_000, 30_000].map((sampleCount) => ({
    name: `generated, ${sampleCount} samples`,
    bytes: encodePprof(generateProfile(sampleCount)),
  })),
];

test("decodePprof against pprof-format on the same bytes in the same run", { timeout: 300_000 }, () => {
  const sums = { oursMs: 0, othersMs: 0 };
  for (const { bytes } of inputs) warmUp(bytes);

  for (const { name, bytes } of inputs) {
    const { oursMs, othersMs } = compare(bytes);
    sums.oursMs += oursMs;
    sums.othersMs += othersMs;
    const megabytesPerSecond = (bytes.length / oursMs / 1000).toFixed(0);
    report(
      `${name}, ${bytes.length} bytes: ${(oursMs * 1000).toFixed(0)} µs, ${megabytesPerSecond} MB/s`,
      othersMs / oursMs,
    );
  }
  report("all inputs", sums.othersMs / sums.oursMs);
});

function report(what: string, ratio: number): void {
  process.stdout.write(`decodePprof ${what}, ${ratio.toFixed(1)} times pprof-format\n`);
}

// All inputs first: code that has seen one input alone is faster than a server's ever is.
function warmUp(bytes: Uint8Array): void {
  for (const decode of [decodePprof, decodeWithPprofFormat]) {
    const end = performance.now() + WARM_UP_MS;
    while (performance.now() < end) decode(bytes);
  }
}

/** Medians of rounds in which both take their turn, so that other processes on the machine disturb both alike. */
function compare(bytes: Uint8Array): { oursMs: number; othersMs: number } {
  const ours = countFor(decodePprof, bytes);
  const others = countFor(decodeWithPprofFormat, bytes);
  const rounds = Array.from({ length: ROUND_COUNT }, () => ({
    oursMs: timeMs(decodePprof, bytes, ours),
    othersMs: timeMs(decodeWithPprofFormat, bytes, others),
  }));
  return {
    oursMs: median(rounds.map(({ oursMs }) => oursMs)),
    othersMs: median(rounds.map(({ othersMs }) => othersMs)),
  };
}

function decodeWithPprofFormat(bytes: Uint8Array): unknown {
  return PprofFormatProfile.decode(bytes);
}

/** How often to decode in a round. */
function countFor(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): number {
  return Math.max(1, Math.round(ROUND_MS / timeMs(decode, bytes, 1)));
}

function timeMs(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) decode(bytes);
  return (performance.now() - start) / count;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
