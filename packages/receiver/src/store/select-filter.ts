import { allOf, inIds, inTexts, inUuids, rawSql, type SqlFragment, sql, timestampSql } from "./select-sql.ts";

/** Which profiles: everything given must hold. Column names are the same in samples, totals and series. */
export interface ProfileFilter {
  /** Both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
  /** Profile type ids of five parts. Absent: all. */
  readonly types?: readonly string[];
  /** Absent: all. */
  readonly services?: readonly string[];
  /** Ids of series. Absent: all. */
  readonly series?: BigUint64Array;
}

/** Which samples of these profiles. */
export interface SampleFilter extends ProfileFilter {
  readonly profileIds?: readonly string[];
  /** Span ids as the big-endian number of their 16 hexadecimal digits. */
  readonly spanIds?: BigUint64Array;
  /** Trace ids as UUIDs. */
  readonly traceIds?: readonly string[];
  /** Ids of stacks. */
  readonly stacks?: BigUint64Array;
}

/** The condition on a row of `series`. */
export function seriesCondition(filter: ProfileFilter): SqlFragment {
  const conditions: SqlFragment[] = [];
  if (filter.types !== undefined) conditions.push(inTexts(rawSql("type"), filter.types));
  if (filter.services !== undefined) conditions.push(inTexts(rawSql("service"), filter.services));
  if (filter.series !== undefined) conditions.push(inIds(rawSql("series"), filter.series));
  return allOf(conditions);
}

/** The condition on a row of `totals`. */
export function profileCondition(filter: ProfileFilter): SqlFragment {
  return allOf([
    seriesCondition(filter),
    sql`time BETWEEN ${timestampSql(filter.fromUnixNanos)} AND ${timestampSql(filter.untilUnixNanos)}`,
  ]);
}

/** The condition on a row of `samples`. */
export function sampleCondition(filter: SampleFilter): SqlFragment {
  const conditions: SqlFragment[] = [profileCondition(filter)];
  if (filter.profileIds !== undefined) conditions.push(inUuids(rawSql("profile"), filter.profileIds));
  if (filter.spanIds !== undefined) conditions.push(inIds(rawSql("span_id"), filter.spanIds));
  if (filter.traceIds !== undefined) conditions.push(inUuids(rawSql("trace_id"), filter.traceIds));
  if (filter.stacks !== undefined) conditions.push(inIds(rawSql("stack"), filter.stacks));
  return allOf(conditions);
}
