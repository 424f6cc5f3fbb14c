import { expect, it } from "vitest";
import { formatBytes } from "./format-bytes.ts";

it.for([
  [0, "0 B"],
  [9, "9 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [4_194_304, "4.2 MB"],
  [9_949_999, "9.9 MB"],
  [9_950_000, "10 MB"],
  [268_435_456, "268 MB"],
  [1_073_741_824, "1.1 GB"],
] as const)("prints %d as go-humanize does", ([bytes, expected]) => {
  expect(formatBytes(bytes)).toBe(expected);
});
