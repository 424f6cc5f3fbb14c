import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Real profiles of testdata; counts and totals are those that `go tool pprof -raw` states. */
export const REAL_PROFILES = [
  { file: "go-cpu.pb.gz", sampleCount: 288, totals: [288n, 2_880_000_000n] },
  { file: "go-heap.pb.gz", sampleCount: 41, totals: [241_625n, 51_061_355n, 3_768n, 533_250n] },
  { file: "node-heap.pb.gz", sampleCount: 345, totals: [373_353n, 20_210_979n] },
  { file: "node-time.pb.gz", sampleCount: 391, totals: [2_424n, 484_305_000n, 1_535_978_070n] },
] as const;

/** The uncompressed bytes of a profile of testdata. */
export function readTestdata(file: string): Uint8Array {
  return gunzipSync(readFileSync(new URL(`testdata/${file}`, import.meta.url)));
}
