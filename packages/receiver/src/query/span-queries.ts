import { ReceiverError } from "../errors.ts";
import type { TableName } from "../store/schema.ts";
import { type SpanRowKind, type SpanRows, selectSpans } from "../store/select-spans.ts";
import type { SpanListQuery, SpanTotals } from "./query-service.ts";
import type { Selection } from "./selection.ts";
import type { ReadContext } from "./snapshot-reader.ts";

/** The spans of nothing. */
export const NO_SPANS: SpanTotals = { total: 0n, spanTotal: 0n, spanCount: 0, names: [], spans: [] };

const DEFAULT_LIMIT = 100;
// What a page can show, with room; the rest is found by narrowing the selection.
const MAX_LIMIT = 1000;

/** Tables that spans are read from: stacks only where a function is looked for. */
export function spanTables({ functionName }: SpanListQuery): readonly TableName[] {
  const tables: readonly TableName[] = ["samples", "totals", "series"];
  return functionName === undefined ? tables : [...tables, "stacks", "frames"];
}

/** @throws {@link ReceiverError} INVALID_ARGUMENT for a limit that is none. */
export function resolveSpanLimit({ limit = DEFAULT_LIMIT }: SpanListQuery): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new ReceiverError(`limit=${limit}: expected a whole number from 1 to ${MAX_LIMIT}`, {
    code: "INVALID_ARGUMENT",
  });
}

/** The selected samples by span and by name of span. */
export async function readSpans(
  { snapshot, filter, signal }: ReadContext,
  selection: Selection,
  query: SpanListQuery,
): Promise<SpanTotals> {
  const rows = await selectSpans(
    snapshot,
    {
      filter: { ...filter, ...selection.sampleIds },
      functionName: query.functionName,
      limit: resolveSpanLimit(query),
    },
    signal,
  );
  const [whole = 0] = rowsOf(rows, "whole");
  return {
    total: rows.total[whole]!,
    spanTotal: rows.spanTotal[whole]!,
    spanCount: Number(rows.spanCount[whole]!),
    names: rowsOf(rows, "name").map((row) => ({
      service: rows.service[row]!,
      name: rows.name[row]!,
      spanCount: Number(rows.spanCount[row]!),
      total: rows.total[row]!,
    })),
    spans: rowsOf(rows, "span").map((row) => ({
      service: rows.service[row]!,
      name: rows.name[row]!,
      spanId: rows.spanId[row]!.toString(16).padStart(16, "0"),
      traceId: rows.traceId[row]!.replaceAll("-", ""),
      firstUnixMillis: Number(rows.firstUnixNanos[row]! / 1_000_000n),
      lastUnixMillis: Number(rows.lastUnixNanos[row]! / 1_000_000n),
      total: rows.total[row]!,
    })),
  };
}

function rowsOf(rows: SpanRows, kind: SpanRowKind): number[] {
  return [...rows.kind.keys()].filter((row) => rows.kind[row] === kind);
}
