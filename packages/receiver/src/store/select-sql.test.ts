import { describe, expect, it } from "vitest";
import { allOf, inIds, inTexts, inUuids, joinSql, rawSql, sql, timestampSql } from "./select-sql.ts";

const column = rawSql("x");

describe("sql", () => {
  it("splices fragments in and makes parameters of values, in order", () => {
    const condition = sql`${column} = ${"a"}`;

    expect(sql`SELECT ${1n} WHERE ${condition} AND ${true}`).toEqual({
      text: "SELECT ? WHERE x = ? AND ?",
      parameters: [1n, "a", true],
    });
  });

  it("never makes text of a value, whatever it holds", () => {
    const hostile = "'; DROP TABLE samples; --";

    expect(sql`SELECT ${hostile}`).toEqual({ text: "SELECT ?", parameters: [hostile] });
    expect(inTexts(column, [hostile]).text).toBe("x IN (?)");
    expect(inUuids(column, [hostile]).text).not.toContain("DROP");
  });
});

describe("joinSql", () => {
  it("keeps the order of parameters", () => {
    expect(joinSql([sql`${1}`, sql`${2}`], ", ")).toEqual({ text: "?, ?", parameters: [1, 2] });
  });
});

describe("allOf", () => {
  it("is true without conditions", () => {
    expect(allOf([]).text).toBe("TRUE");
    expect(allOf([rawSql("a"), rawSql("b")]).text).toBe("a AND b");
  });
});

describe("inIds", () => {
  it("is one parameter however many ids there are, and false for none", () => {
    const { parameters } = inIds(column, new BigUint64Array([1n, 2n ** 64n - 1n]));

    expect(parameters).toEqual(["1,18446744073709551615"]);
    expect(inIds(column, new BigUint64Array()).text).toBe("FALSE");
    expect(inUuids(column, []).text).toBe("FALSE");
    expect(inTexts(column, []).text).toBe("FALSE");
  });
});

describe("timestampSql", () => {
  it.for([
    [5n, 5n],
    [2n ** 63n - 2n, 2n ** 63n - 2n],
    [2n ** 63n - 1n, 2n ** 63n - 2n],
    [2n ** 80n, 2n ** 63n - 2n],
    [-(2n ** 80n), -(2n ** 63n - 2n)],
  ] as const)("draws %d into the range of TIMESTAMP_NS", ([unixNanos, drawn]) => {
    expect(timestampSql(unixNanos).text).toBe(`make_timestamp_ns(${drawn})`);
  });
});
