import { createMatcher } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { formatQueryKey } from "./query-key.ts";
import type { ReadPlan } from "./snapshot-reader.ts";

const range = { startUnixMillis: 1, endUnixMillis: 2, fromUnixNanos: 1n, untilUnixNanos: 2n };
const matchers = [createMatcher("a", "=", "1"), createMatcher("b", "=~", "x.*")];
const plan: ReadPlan = {
  ...{ tenants: ["t", "u"], range, matchers, profileType: "p", tables: [], level: "raw" },
};
const query = { selector: "{}", maxNodes: 5, groupBy: ["x"] };
const key = (changes: Partial<ReadPlan> = {}, fields: object = {}, kind = "tree"): string =>
  formatQueryKey({ ...plan, ...changes }, { kind, query: { ...query, ...fields } });

describe("formatQueryKey", () => {
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
});
