import { ReceiverError } from "../../errors.ts";
import type { MillisRange } from "../block-cover.ts";
import type { SampleFilter } from "../select-filter.ts";

/** A condition on rows of samples in ClickHouse's SQL, with the values of its `{name:Type}`. */
export interface ClickHouseCondition {
  readonly text: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

// What DateTime64 holds begins with 1900.
const FIRST_NANOS = -2_208_988_800_000_000_000n;
const LAST_NANOS = 2n ** 63n - 1n;
const NANOS_PER_MILLI = 1_000_000n;

/**
 * Texts of requests are parameters. Ids are numbers and UUIDs, thousands of them, which a parameter of HTTP cannot hold: they
 * are written by us, digit for digit.
 */
export function toClickHouseCondition(
  filter: SampleFilter,
  ranges: readonly MillisRange[] | undefined,
): ClickHouseCondition {
  const { fromUnixNanos, untilUnixNanos, types, services, series, profileIds, spanIds, traceIds, stacks } =
    filter;
  const conditions = [timesBetween(fromUnixNanos, untilUnixNanos)];
  if (types !== undefined) conditions.push("type IN {types:Array(String)}");
  if (services !== undefined) conditions.push("service IN {services:Array(String)}");
  for (const [column, ids] of Object.entries({ series, span_id: spanIds, stack: stacks })) {
    if (ids !== undefined) conditions.push(inList(column, [...ids].map(String)));
  }
  for (const [column, ids] of Object.entries({ profile: profileIds, trace_id: traceIds })) {
    if (ids !== undefined) conditions.push(inList(column, ids.map(quoteUuid)));
  }
  if (ranges !== undefined) {
    const times = ranges.map(({ from, until }) =>
      timesBetween(BigInt(from) * NANOS_PER_MILLI, BigInt(until) * NANOS_PER_MILLI + NANOS_PER_MILLI - 1n),
    );
    conditions.push(times.length === 0 ? "false" : `(${times.join(" OR ")})`);
  }
  return {
    text: conditions.join(" AND "),
    parameters: { ...(types !== undefined && { types }), ...(services !== undefined && { services }) },
  };
}

function timesBetween(from: bigint, until: bigint): string {
  const time = (nanos: bigint): string => `fromUnixTimestamp64Nano(toInt64(${clamp(nanos)}), 'UTC')`;
  return `time BETWEEN ${time(from)} AND ${time(until)}`;
}

function clamp(nanos: bigint): bigint {
  if (nanos < FIRST_NANOS) return FIRST_NANOS;
  return nanos > LAST_NANOS ? LAST_NANOS : nanos;
}

function inList(column: string, items: readonly string[]): string {
  return items.length === 0 ? "false" : `${column} IN (${items.join(", ")})`;
}

/** Its 32 digits, with or without dashes. */
function quoteUuid(id: string): string {
  const parts = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(id.replaceAll("-", ""))?.slice(1);
  if (parts?.every((part) => /^[0-9a-f]+$/i.test(part)) === true) return `toUUID('${parts.join("-")}')`;
  throw new ReceiverError(`${JSON.stringify(id)} stands where a UUID is expected`, { code: "INTERNAL" });
}
