import { Profile as PprofFormatProfile } from "pprof-format";
import { expect, test } from "vitest";
import { generateProfile } from "../testing/generated-profile.fixture.ts";
import { REAL_PROFILES, readTestdata } from "../testing/real-profile.fixture.ts";
import { decodePprof } from "./decode-pprof.ts";
import { encodePprof } from "./encode-pprof.ts";

// The floor that the product promises: bytes decoded per second, against pprof-format on the same bytes in the same run.
const FLOOR = 10;

const inputs = [
  ...REAL_PROFILES.map(({ file }) => ({ name: file, bytes: readTestdata(file) })),
  ...[1_000, 10_000, 40_000].map((sampleCount) => ({
    name: `generated, ${sampleCount} samples`,
    bytes: encodePprof(generateProfile(sampleCount)),
  })),
];

const ratios: number[] = [];

test.for(inputs)("decoding $name", async ({ name, bytes }, { bench }) => {
  const results = await bench.compare(
    bench("decodePprof", () => {
      decodePprof(bytes);
    }),
    bench("pprof-format", () => {
      PprofFormatProfile.decode(bytes);
    }),
  );

  const ours = results.get("decodePprof").throughput.mean;
  const ratio = ours / results.get("pprof-format").throughput.mean;
  ratios.push(ratio);
  const megabytes = (bytes.length * ours) / 1e6;
  process.stdout.write(
    `decodePprof ${name}, ${bytes.length} bytes: ${megabytes.toFixed(0)} MB/s, ${ratio.toFixed(1)} times pprof-format\n`,
  );
});

test("decodePprof is at least ten times as fast as pprof-format", () => {
  const geometricMean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  process.stdout.write(`decodePprof, mean of all: ${geometricMean.toFixed(1)} times pprof-format\n`);

  expect(geometricMean).toBeGreaterThanOrEqual(FLOOR);
});
