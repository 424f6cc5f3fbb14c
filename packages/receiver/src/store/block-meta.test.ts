import { describe, expect, it } from "vitest";
import { type BlockMeta, blockBytes, formatBlockMeta, parseBlockMeta } from "./block-meta.ts";
import { FORMAT_VERSION, tables } from "./schema.ts";

const META: BlockMeta = {
  version: FORMAT_VERSION,
  id: "01J00000000000000000000000",
  tenant: 'te"nant/ä',
  level: "1h",
  createdUnixMillis: 1_760_000_000_000,
  receivedUnixMillis: 1_759_000_000_000,
  mergeCount: 2,
  minUnixNanos: -5n,
  maxUnixNanos: 2n ** 63n - 1n,
  rows: { samples: 5, totals: 4, series: 3, stacks: 2, frames: 1 },
  types: ["a", "b"],
  services: [],
  segments: ["s.wal"],
  blocks: [],
  rolledUp: ["r"],
  files: new Map(Object.values(tables).map(({ file }, i) => [file, { bytes: i, crc32: 10 + i }])),
};

describe("parseBlockMeta", () => {
  it("reads what formatBlockMeta prints", () => {
    expect(parseBlockMeta(formatBlockMeta(META), "meta.json")).toEqual(META);
    expect(blockBytes(META)).toBe(0 + 1 + 2 + 3 + 4);
  });

  it("refuses every text with one byte changed that says something else, and every shorter one", () => {
    const text = formatBlockMeta(META);
    for (let at = 0; at < text.length - 1; at++) {
      const changed = `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
      expect(() => parseBlockMeta(changed, "meta.json"), changed).toThrow(
        expect.objectContaining({ name: "ReceiverError" }),
      );
      expect(() => parseBlockMeta(text.slice(0, at), "meta.json")).toThrow(
        expect.objectContaining({ code: "INTERNAL" }),
      );
    }
  });

  it("refuses a newer version by its number, whatever its checksum is of", () => {
    const newer = JSON.stringify({ version: FORMAT_VERSION + 1 });

    expect(() => parseBlockMeta(newer, "meta.json")).toThrow(
      expect.objectContaining({ code: "STORAGE_FORMAT" }),
    );
  });
});
