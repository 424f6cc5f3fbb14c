import { expect, it } from "vitest";
import { selectIngestFormat } from "./ingest-format.ts";

const form = "multipart/form-data; boundary=x";
it.for([
  ["trie", "", "trie"],
  ["pprof", "binary/octet-stream+trie", "trie"],
  ["tree", "", "tree"],
  ["lines", "binary/octet-stream+tree", "tree"],
  ["lines", form, "lines"],
  ["jfr", form, "jfr"],
  ["pprof", form, "pprof"],
  ["speedscope", "", "speedscope"],
  ["", form, "multipart"],
  ["groups", form, "multipart"],
  ["", "", "groups"],
  ["collapsed", "text/plain", "groups"],
] as const)("format=%j with %j is %s", ([format, contentType, expected]) => {
  expect(selectIngestFormat(format, contentType)).toBe(expected);
});
