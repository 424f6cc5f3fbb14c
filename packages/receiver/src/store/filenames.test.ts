import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockPath, createSegmentName, decodeTenant, encodeTenant, isSegmentName } from "./filenames.ts";

const ID = "01J00000000000000000000000";

describe("encodeTenant", () => {
  it.for([
    ["team-a_1", "team-a_1"],
    ["Team", "%54eam"],
    ["*", "%2A"],
    ["..", "%2E%2E"],
    ["a/b", "a%2Fb"],
    ["%2A", "%252%41"],
    ["ä", "%C3%A4"],
    ["", "%"],
  ] as const)("makes %s the directory %s", ([tenant, directory]) => {
    expect(encodeTenant(tenant)).toBe(directory);
  });

  it("gives every tenant a name of its own, which decodeTenant reads", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (tenant) => {
        expect(encodeTenant(tenant)).toMatch(/^[a-z0-9_%A-F-]+$/);
        expect(decodeTenant(encodeTenant(tenant))).toBe(tenant);
      }),
    );
  });
});

describe("decodeTenant", () => {
  it.for(["Team", "%2a", "%61", "%zz", "a b", "%%", "%C3"])(
    "knows that %s is no tenant's directory",
    (name) => {
      expect(decodeTenant(name)).toBeUndefined();
    },
  );
});

describe("blockPath", () => {
  it.for([
    [0n, "1970-01-01"],
    [1_760_000_000_000_000_000n, "2025-10-09"],
    [2n ** 63n - 1n, "2262-04-11"],
    [86_399_999_999_999n, "1970-01-01"],
    [-1_000_000n, "1969-12-31"],
    [-(2n ** 63n), "1677-09-21"],
  ] as const)("puts a block whose first profile is at %s on %s", ([nanos, day]) => {
    expect(blockPath("a", "raw", nanos, ID)).toBe(`a/raw/${day}/${ID}`);
  });
});

describe("isSegmentName", () => {
  it("knows what createSegmentName gives, and nothing else", () => {
    expect(isSegmentName(createSegmentName(1_760_000_000_000))).toBe(true);
    expect(isSegmentName(createSegmentName(-5))).toBe(true);
    for (const name of [`${ID}.wal.1`, `${ID}`, "x.wal", `../${ID}.wal`])
      expect(isSegmentName(name)).toBe(false);
  });
});
