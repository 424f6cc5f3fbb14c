import type { ResolvedRange } from "../state/time-range.ts";
import { RequestError } from "./request-error.ts";

/** Labels of one series, as the receiver returned them. */
export type LabelPairs = Readonly<Record<string, string>>;

/** One line of a timeline: values by moment, in the unit of the profile type. */
export interface TimeSeries {
  readonly labels: LabelPairs;
  readonly points: readonly { readonly timeMs: number; readonly value: number }[];
}

/** Which profiles are asked for. */
export interface ProfileQuery extends ResolvedRange {
  readonly type: string;
  /** Label selector in braces. */
  readonly selector: string;
  /** Only samples of this span, or of this trace; absent or empty: all. */
  readonly spanId?: string;
  readonly traceId?: string;
}

/** How a flame graph is cut. */
export interface TreeOptions {
  readonly maxNodes: number;
  /** Tell the lines of one function apart. */
  readonly lines: boolean;
}

/** A JSON object of the wire, not looked into yet. */
export type WireObject = Readonly<Record<string, unknown>>;

/** `value` as an object. @throws {@link RequestError} `MALFORMED` when it is something else. */
export function asObject(value: unknown): WireObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RequestError(`reading the answer: ${typeof value} where an object belongs`, {
      code: "MALFORMED",
    });
  }
  return value as WireObject; // just checked
}

/** `value` as a list. Connect leaves empty lists out, so an absent one is empty. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The labels of a `types.v1.Labels` or `types.v1.Series`. */
export function readLabels(value: unknown): LabelPairs {
  const pairs = asList(asObject(value).labels).map(asObject);
  return Object.fromEntries(pairs.map((pair) => [String(pair.name ?? ""), String(pair.value ?? "")]));
}

/** A `types.v1.Series`. Zero is the default of its fields, and defaults are left out on the wire. */
export function readSeries(value: unknown): TimeSeries {
  const points = asList(asObject(value).points).map(asObject);
  return {
    labels: readLabels(value),
    points: points.map((point) => ({
      timeMs: Number(point.timestamp ?? 0),
      value: Number(point.value ?? 0),
    })),
  };
}

/** A range as the querier's requests carry it: int64 as text. */
export function toWireRange(range: ResolvedRange): { readonly start: string; readonly end: string } {
  return { start: String(range.fromMs), end: String(range.untilMs) };
}

/** The selector of a query with its profile type as one more matcher. */
export function withType(query: ProfileQuery): string {
  const body = query.selector.trim().slice(1, -1).trim();
  const type = query.type === "" ? "" : `__profile_type__="${query.type}"`;
  return `{${[type, body].filter((part) => part !== "").join(",")}}`;
}

/** A query as `render` takes it: the profile type id, then the selector. */
export function formatQuery(query: ProfileQuery): string {
  return `${query.type}${query.selector === "" ? "{}" : query.selector}`;
}

/** The ids of a query as parameters of `render`. */
export function toIdParams({ spanId = "", traceId = "" }: ProfileQuery): Readonly<Record<string, string>> {
  return {
    ...(spanId === "" ? {} : { span_id: spanId }),
    ...(traceId === "" ? {} : { trace_id: traceId }),
  };
}

/** {@link TreeOptions} as parameters of `render`. */
export function toTreeParams(options: TreeOptions): Readonly<Record<string, string>> {
  return { maxNodes: String(options.maxNodes), ...(options.lines ? { frames: "line" } : {}) };
}
