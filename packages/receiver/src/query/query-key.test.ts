import { createMatcher } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { formatQueryKeys } from "./query-key.ts";
import type { ReadPlan } from "./snapshot-reader.ts";

const range = { startUnixMillis: 1, endUnixMillis: 2, fromUnixNanos: 1n, untilUnixNanos: 2n };
const matchers = [createMatcher("a", "=", "1"), createMatcher("b", "=~", "x.*")];
const plan: ReadPlan = {
  ...{ tenants: ["t", "u"], range, matchers, profileType: "p", tables: [], level: "raw" },
};
const query = { selector: "{}", maxNodes: 5, groupBy: ["x"] };
const key = (changes: Partial<ReadPlan> = {}, fields: object = {}, kind = "tree"): string =>
  formatQueryKeys({ ...plan, ...changes }, { kind, query: { ...query, ...fields } }).exact;

describe("formatQueryKeys", () => {
  it("is one for requests that ask the same in other words", () => {
    expect(key({ tenants: ["u", "t", "t"] })).toBe(key());
    expect(key({ matchers: matchers.toReversed() })).toBe(key());
    expect(key({}, { selector: "{ }" })).toBe(key());
    expect(key({}, { absent: undefined })).toBe(key());
  });

  it.for([
    ["tenants", { tenants: ["t"] }, {}],
    ["the name of a tenant", { tenants: ["t|u"] }, {}],
    ["matchers", { matchers: [] }, {}],
    ["an operator", { matchers: [createMatcher("a", "!=", "1"), matchers[1]!] }, {}],
    ["the profile type", { profileType: "q" }, {}],
    ["the level", { level: "5m" }, {}],
    ["the range", { range: { ...range, endUnixMillis: 3 } }, {}],
    ["the nodes", {}, { maxNodes: 6 }],
    ["the groups", {}, { groupBy: ["x", "y"] }],
    ["a further condition", {}, { spanIds: ["1"] }],
  ] as const)("differs by %s", ([, changes, fields]) => {
    expect(key(changes, fields)).not.toBe(key());
  });

  it("differs where a name and a value share their characters in another way", () => {
    const one = createMatcher("a\0=\0b", "=", "c");
    const other = createMatcher("a", "=", "b\0=\0c");

    expect(key({ matchers: [one] })).not.toBe(key({ matchers: [other] }));
  });

  it("differs by what is made of the rows", () => {
    expect(key({}, {}, "export")).not.toBe(key());
  });

  it("has a second name for ranges that slide, where the answer does not tell them apart", () => {
    const sliding = (from: number, until: number, isRangeFree: boolean) => {
      const moved = { ...range, startUnixMillis: from, endUnixMillis: until };
      const times = { startUnixMillis: from, endUnixMillis: until };
      return formatQueryKeys(
        { ...plan, range: moved },
        { kind: "tree", query: { ...query, ...times }, isRangeFree },
      );
    };

    expect(sliding(1, 11, true).sliding).toBe(sliding(2, 12, true).sliding);
    expect(sliding(1, 11, true).exact).not.toBe(sliding(2, 12, true).exact);
    expect(sliding(1, 11, true).sliding).not.toBe(sliding(1, 12, true).sliding);
    expect(sliding(1, 11, false).sliding).toBeUndefined();
  });
});
