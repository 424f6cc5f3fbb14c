const SPAN_ID_PATTERN = /^[0-9a-f]{16}$/i;
const TRACE_ID_PATTERN = /^[0-9a-f]{32}$/i;

/** The span id of a sample that has none. */
export const NO_SPAN = 0n;

/**
 * Label names that carry a span id. `profile_id` is what SDKs before `span_id` wrote.
 *
 * Source: Pyroscope pkg/pprof/pprof.go.
 */
export const SPAN_ID_LABELS: ReadonlySet<string> = new Set(["span_id", "profile_id"]);

/** Label name that carries a trace id. */
export const TRACE_ID_LABEL = "trace_id";

/** A trace id in two halves; both 0 for none. */
export interface TraceId {
  readonly hi: bigint;
  readonly lo: bigint;
}

/** The trace id of a sample that has none. */
export const NO_TRACE: TraceId = { hi: 0n, lo: 0n };

/** Whether a label is stored in the columns of span and trace ids, and never in a series. */
export function isSpanLabel(name: string): boolean {
  return SPAN_ID_LABELS.has(name) || name === TRACE_ID_LABEL;
}

/** Reads 16 hex digits, big-endian; anything else is {@link NO_SPAN}, as Pyroscope has it. */
export function parseSpanId(text: string): bigint {
  return SPAN_ID_PATTERN.test(text) ? BigInt(`0x${text}`) : NO_SPAN;
}

/** Reads 32 hex digits, big-endian; anything else is {@link NO_TRACE}. */
export function parseTraceId(text: string): TraceId {
  if (!TRACE_ID_PATTERN.test(text)) return NO_TRACE;
  return { hi: BigInt(`0x${text.slice(0, 16)}`), lo: BigInt(`0x${text.slice(16)}`) };
}
