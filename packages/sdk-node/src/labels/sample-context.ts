import type { LabelValues } from "../options.ts";
import { formatLabelValue, SPAN_ID_LABEL, TRACE_ID_LABEL } from "./label.ts";
import type { LabelSet, LabelSets } from "./label-set.ts";

/** Ids of a trace and a span, given by hand and kept as they are. */
interface SampleIds {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

/**
 * A span of a tracer, for the samples that are taken while it is active.
 *
 * Its fields are read when a profile is written, up to one window after the sample: a name that the tracer sets late
 * is there. They may throw; the sample then has no ids.
 */
export interface ProfiledSpan {
  /** 32 hex digits, or undefined to leave it out. */
  readonly traceId: string | undefined;
  /** 16 hex digits. */
  readonly spanId: string | undefined;
  readonly name: string | undefined;
  /** When it ended, in milliseconds as `performance.now()` counts; undefined while it is active. */
  readonly endTimeMs: number | undefined;
}

/** What the samples of running code carry. */
export interface SampleContext {
  readonly labels: LabelSet;
  readonly ids: SampleIds | undefined;
  readonly span: ProfiledSpan | undefined;
}

/** A context of labels alone. */
export function toContext(labels: LabelSet): SampleContext {
  return labels.context;
}

/**
 * `parent` with `labels` added; where both have a name, the value of `labels` counts. The span stays.
 *
 * @throws what a getter or proxy of `labels` throws.
 */
export function addLabels(sets: LabelSets, parent: SampleContext, labels: LabelValues): SampleContext {
  const merged = sets.merge(parent.labels, labels);
  // Two look-ups of what no object has cost 20 ns.
  const ids = sets.hasSeenIds ? mergeIds(parent.ids, labels) : parent.ids;
  // The usual call makes no object.
  return ids === undefined && parent.span === undefined
    ? merged.context
    : { labels: merged, ids, span: parent.span };
}

/** `parent` with `span` in place of its own. */
export function withSpan(parent: SampleContext, span: ProfiledSpan | undefined): SampleContext {
  return { labels: parent.labels, ids: parent.ids, span };
}

/** `context` for a sample that is taken now, in JavaScript. What runs after the end of its span has none. */
export function takeContext(context: SampleContext | undefined): SampleContext | undefined {
  if (context?.span === undefined) return context;
  try {
    return context.span.endTimeMs === undefined ? context : withSpan(context, undefined);
  } catch {
    // Somebody else's span.
    return withSpan(context, undefined);
  }
}

/** Labels and given ids by name, frozen. The ids of spans belong to their tracer and are not among them. */
export function toRecord({ labels, ids }: SampleContext): Readonly<Record<string, string>> {
  if (ids === undefined) return labels.record;
  const record = { ...labels.record };
  if (ids.traceId !== undefined) record[TRACE_ID_LABEL] = ids.traceId;
  if (ids.spanId !== undefined) record[SPAN_ID_LABEL] = ids.spanId;
  return Object.freeze(record);
}

function mergeIds(parent: SampleIds | undefined, labels: LabelValues): SampleIds | undefined {
  const { [TRACE_ID_LABEL]: rawTraceId, [SPAN_ID_LABEL]: rawSpanId } = labels;
  if (rawTraceId === undefined && rawSpanId === undefined) return parent;
  const traceId = formatLabelValue(rawTraceId);
  const spanId = formatLabelValue(rawSpanId);
  if (traceId === undefined && spanId === undefined) return parent;
  return { traceId: traceId ?? parent?.traceId, spanId: spanId ?? parent?.spanId };
}
