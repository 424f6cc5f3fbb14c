import { asList, asObject } from "./wire.ts";

/** Samples summed by span and by name of span, in the unit of the profile type. */
export interface SpanTotals {
  readonly total: number;
  /** The part of `total` that belongs to spans. */
  readonly spanTotal: number;
  /** How many spans there are, listed or not. */
  readonly spanCount: number;
  /** Largest first, as many as the receiver lists. */
  readonly names: readonly SpanNameTotal[];
  readonly spans: readonly SpanTotal[];
}

/** What the spans of one name in one service have together. */
export interface SpanNameTotal {
  readonly service: string;
  readonly name: string;
  readonly spanCount: number;
  readonly total: number;
}

/** What one service did under one span. */
export interface SpanTotal {
  readonly service: string;
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  /** Starts of the first and the last profile that has samples of it. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly total: number;
  /** Its trace in another program; "" when there is no link. */
  readonly traceUrl: string;
}

/** Reads the answer of `/api/v1/spans`. @throws `RequestError` `MALFORMED` when it is something else. */
export function readSpanTotals(value: unknown): SpanTotals {
  const answer = asObject(value);
  return {
    total: Number(answer.total),
    spanTotal: Number(answer.spanTotal),
    spanCount: Number(answer.spanCount),
    names: asList(answer.names)
      .map(asObject)
      .map(({ service, name, spanCount, total }) => ({
        service: String(service),
        name: String(name),
        spanCount: Number(spanCount),
        total: Number(total),
      })),
    spans: asList(answer.spans)
      .map(asObject)
      .map((span) => ({
        service: String(span.service),
        name: String(span.name),
        spanId: String(span.spanId),
        traceId: String(span.traceId),
        firstMs: Number(span.firstUnixMillis),
        lastMs: Number(span.lastUnixMillis),
        total: Number(span.total),
        traceUrl: keepWebAddress(span.traceUrl),
      })),
  };
}

/** An address that a click may follow. The receiver makes no other; this page does not rely on it. */
function keepWebAddress(value: unknown): string {
  return typeof value === "string" && /^https?:\/\//i.test(value) ? value : "";
}
