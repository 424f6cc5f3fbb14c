import { createRequire } from "node:module";
import { Profile as PprofFormatProfile } from "pprof-format";
import { expect, test } from "vitest";
import { generateProfile } from "../testing/generated-profile.fixture.ts";
import { REAL_PROFILES, readTestdata } from "../testing/real-profile.fixture.ts";
import { encodePprof } from "./encode-pprof.ts";

// Loaded by Node itself, as pprof-format is: vitest turns every use of an imported name into a read of a property, which
// makes code of several modules four times as slow as what users run.
const { decodePprof } = createRequire(import.meta.url)(
  "./decode-pprof.ts",
) as typeof import("./decode-pprof.ts");

// The floor that the product promises: bytes decoded per second, over all inputs, against pprof-format on the same
// bytes in the same run. Small profiles gain less than large ones, where the other decoder's garbage is collected too.
const FLOOR = 10;
const RUN = { time: 500, iterations: 5, warmupTime: 200, warmupIterations: 3 };

const inputs = [
  ...REAL_PROFILES.map(({ file }) => ({ name: file, bytes: readTestdata(file) })),
  ...[1_000, 10_000, 30_000].map((sampleCount) => ({
    name: `generated, ${sampleCount} samples`,
    bytes: encodePprof(generateProfile(sampleCount)),
  })),
];

const sums = { oursMs: 0, othersMs: 0 };

test.for(inputs)("decoding $name", async ({ name, bytes }, { bench }) => {
  const results = await bench.compare(
    bench("decodePprof", () => {
      decodePprof(bytes);
    }),
    bench("pprof-format", () => {
      PprofFormatProfile.decode(bytes);
    }),
    RUN,
  );

  // Medians: other processes on the machine make the mean wander.
  const oursMs = results.get("decodePprof").latency.p50;
  const othersMs = results.get("pprof-format").latency.p50;
  sums.oursMs += oursMs;
  sums.othersMs += othersMs;
  const megabytesPerSecond = bytes.length / oursMs / 1000;
  process.stdout.write(
    `decodePprof ${name}, ${bytes.length} bytes: ${megabytesPerSecond.toFixed(0)} MB/s, ${(othersMs / oursMs).toFixed(1)} times pprof-format\n`,
  );
});

test("decodePprof is at least ten times as fast as pprof-format over all inputs", () => {
  const ratio = sums.othersMs / sums.oursMs;
  process.stdout.write(`decodePprof, all inputs: ${ratio.toFixed(1)} times pprof-format\n`);

  expect(ratio).toBeGreaterThanOrEqual(FLOOR);
});
