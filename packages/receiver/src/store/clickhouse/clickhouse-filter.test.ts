import { describe, expect, it } from "vitest";
import { toClickHouseCondition } from "./clickhouse-filter.ts";

const TIMES = { fromUnixNanos: 1n, untilUnixNanos: 2n };
const BETWEEN =
  "time BETWEEN fromUnixTimestamp64Nano(toInt64(1), 'UTC') AND fromUnixTimestamp64Nano(toInt64(2), 'UTC')";

describe("toClickHouseCondition", () => {
  it("binds texts, and writes ids digit for digit", () => {
    const evil = "') OR 1 --";
    const condition = toClickHouseCondition(
      {
        ...{ ...TIMES, types: [evil], services: [evil], series: BigUint64Array.of(2n ** 64n - 1n, 7n) },
        ...{ spanIds: BigUint64Array.of(5n), traceIds: ["00c0ffee00c0ffee00c0ffee00c0ffee"] },
      },
      undefined,
    );

    expect(condition).toEqual({
      text:
        `${BETWEEN} AND type IN {types:Array(String)} AND service IN {services:Array(String)} ` +
        "AND series IN (18446744073709551615, 7) AND span_id IN (5) AND trace_id IN (toUUID('00c0ffee-00c0-ffee-00c0-ffee00c0ffee'))",
      parameters: { types: [evil], services: [evil] },
    });
  });

  it("selects nothing by an empty list", () => {
    const condition = toClickHouseCondition({ ...TIMES, stacks: new BigUint64Array() }, undefined);

    expect(condition).toEqual({ text: `${BETWEEN} AND false`, parameters: {} });
  });

  it("takes no id that is none", () => {
    for (const id of ["", "x".repeat(32), "00c0ffee00c0ffee00c0ffee00c0ffe'"]) {
      expect(() => toClickHouseCondition({ ...TIMES, profileIds: [id] }, undefined)).toThrow(
        "UUID is expected",
      );
    }
  });

  it("leaves out what lies outside the ranges that count, and stays within the times of ClickHouse", () => {
    const filter = { fromUnixNanos: -(2n ** 63n), untilUnixNanos: 2n ** 70n };
    const { text } = toClickHouseCondition(filter, [
      { from: 1, until: 2 },
      { from: 5, until: 5 },
    ]);

    expect(text.match(/toInt64\((-?\d+)\)/g)).toEqual(
      [-2_208_988_800_000_000_000n, 2n ** 63n - 1n, 1_000_000n, 2_999_999n, 5_000_000n, 5_999_999n].map(
        (nanos) => `toInt64(${nanos})`,
      ),
    );
    expect(text).toContain(" OR ");
  });
});
