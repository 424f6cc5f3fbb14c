import { labelJoin } from "./profile-points.ts";
import { type SampleFilter, sampleCondition } from "./select-filter.ts";
import { rawSql, type SqlFragment, sql } from "./select-sql.ts";
import { isShownAs } from "./shown-function.ts";
import type { Snapshot } from "./snapshot.ts";

/** The label that names a span: every span processor of Pyroscope sets it. */
const SPAN_NAME_LABEL = "span_name";

export interface SpanSelection {
  readonly filter: SampleFilter;
  /** Only samples with this function anywhere on their stack; undefined: all. */
  readonly functionName: string | undefined;
  /** Most names and most spans. */
  readonly limit: number;
}

/**
 * One row for all of the samples, then the largest names, then the largest spans. A span is what one service did under
 * one span id; it has the name that it had last, since HTTP servers name spans late.
 */
export interface SpanRows {
  readonly rowCount: number;
  readonly kind: readonly SpanRowKind[];
  readonly service: readonly string[];
  readonly name: readonly string[];
  /** 0 but for spans. */
  readonly spanId: BigUint64Array;
  /** UUID; "" but for spans, and for spans without one. */
  readonly traceId: readonly string[];
  /** First and last time of a profile with its samples. */
  readonly firstUnixNanos: BigInt64Array;
  readonly lastUnixNanos: BigInt64Array;
  readonly total: BigInt64Array;
  /** The part of `total` that has a span id. */
  readonly spanTotal: BigInt64Array;
  readonly spanCount: BigInt64Array;
}

export type SpanRowKind = "whole" | "name" | "span";

/** Sums samples by span and by name of span, in one pass over them. */
export async function selectSpans(
  snapshot: Snapshot,
  { filter, functionName, limit }: SpanSelection,
  signal?: AbortSignal,
): Promise<SpanRows> {
  const most = rawSql(String(limit));
  const query = sql`
    WITH hits AS MATERIALIZED (
      SELECT series, service, span_id, trace_id, min(time) AS first, max(time) AS last, sum(value) AS total
      FROM ${rawSql(snapshot.from("samples"))}
      WHERE ${sampleCondition(filter)}${stackCondition(snapshot, functionName)}
      GROUP BY series, service, span_id, trace_id
    ), spans AS MATERIALIZED (
      SELECT service, span_id, trace_id, arg_max(group0, last) AS name, min(first) AS first, max(last) AS last,
        sum(total) AS total
      FROM hits ${labelJoin(snapshot, filter, [SPAN_NAME_LABEL])}
      WHERE span_id IS NOT NULL GROUP BY service, span_id, trace_id
    ), names AS (
      SELECT service, name, min(first) AS first, max(last) AS last, sum(total) AS total, count(*) AS spans
      FROM spans GROUP BY service, name
    )
    SELECT kind, service, name, span_id, trace_id, epoch_ns(first) AS first, epoch_ns(last) AS last,
      CAST(total AS BIGINT) AS total, CAST(span_total AS BIGINT) AS span_total, CAST(spans AS BIGINT) AS spans
    FROM (
      SELECT 'whole' AS kind, '' AS service, '' AS name, NULL AS span_id, NULL AS trace_id, min(first) AS first,
        max(last) AS last, coalesce(sum(total), 0) AS total,
        coalesce(sum(total) FILTER (span_id IS NOT NULL), 0) AS span_total, (SELECT count(*) FROM spans) AS spans
      FROM hits
      UNION ALL (
        SELECT 'name', service, name, NULL, NULL, first, last, total, total, spans FROM names
        ORDER BY total DESC, service, name LIMIT ${most})
      UNION ALL (
        SELECT 'span', service, name, span_id, trace_id, first, last, total, total, 1 FROM spans
        ORDER BY total DESC, service, span_id, trace_id LIMIT ${most}))
    ORDER BY kind DESC, total DESC, service, name, span_id, trace_id`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    rowCount: rows.rowCount,
    kind: rows.texts("kind") as readonly SpanRowKind[], // the three words above
    service: rows.texts("service"),
    name: rows.texts("name"),
    spanId: rows.ids("span_id"),
    traceId: rows.texts("trace_id"),
    firstUnixNanos: rows.bigints("first"),
    lastUnixNanos: rows.bigints("last"),
    total: rows.bigints("total"),
    spanTotal: rows.bigints("span_total"),
    spanCount: rows.bigints("spans"),
  };
}

function stackCondition(snapshot: Snapshot, functionName: string | undefined): SqlFragment {
  if (functionName === undefined) return rawSql("");
  return sql` AND stack IN (
    SELECT stack FROM ${rawSql(snapshot.fromParts("stacks"))} WHERE list_has_any(frames, (
      SELECT coalesce(list(frame), []) FROM ${rawSql(snapshot.fromParts("frames"))} WHERE ${isShownAs(functionName)})))`;
}
