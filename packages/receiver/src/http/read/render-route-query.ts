import { formatSelector, type ProfileType, parseQuery, parseTime } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../../errors.ts";
import type { ExportFormat, StackQuery, TimeSeriesQuery } from "../../query/query-service.ts";

/** A URL's parameters as Fastify parses them. */
export type UrlParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What `/render` can answer with. */
export type RenderFormat = "json" | ExportFormat;

/** A stack query as a URL says it, with its profile type taken apart. */
export interface RenderSelection {
  readonly profileType: ProfileType;
  readonly query: StackQuery;
}

/** Names of the parameters that select one side; `/render` has one, `/render-diff` two. */
export interface SideNames {
  readonly query: string;
  readonly from: string;
  readonly until: string;
  /** Means the same as `until`: recipes of other tools use it. */
  readonly to: string;
  readonly spanId: string;
  readonly traceId: string;
}

export const SINGLE_SIDE: SideNames = {
  query: "query",
  from: "from",
  until: "until",
  to: "to",
  spanId: "span_id",
  traceId: "trace_id",
};
export const LEFT_SIDE: SideNames = {
  query: "leftQuery",
  from: "leftFrom",
  until: "leftUntil",
  to: "leftTo",
  spanId: "left_span_id",
  traceId: "left_trace_id",
};
export const RIGHT_SIDE: SideNames = {
  query: "rightQuery",
  from: "rightFrom",
  until: "rightUntil",
  to: "rightTo",
  spanId: "right_span_id",
  traceId: "right_trace_id",
};

/** The first value of a parameter; "" where it is absent, as Pyroscope reads it. */
export function firstValue(parameters: UrlParameters, name: string): string {
  const value = parameters[name];
  return (typeof value === "object" ? value[0] : value) ?? "";
}

/**
 * The range of one side. An end that is not given is now.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT when `until` and its other name differ.
 */
export function parseRange(
  parameters: UrlParameters,
  names: SideNames,
  nowUnixMillis: number,
): Pick<StackQuery, "startUnixMillis" | "endUnixMillis"> {
  const [until, to] = [firstValue(parameters, names.until), firstValue(parameters, names.to)];
  if (until !== "" && to !== "" && until !== to) {
    throw new ReceiverError(
      `"${names.until}"=${JSON.stringify(until)} and "${names.to}"=${JSON.stringify(to)} mean the same: give one`,
      { code: "INVALID_ARGUMENT" },
    );
  }
  const from = firstValue(parameters, names.from);
  return {
    startUnixMillis: from === "" ? nowUnixMillis : parseTime(from, nowUnixMillis),
    endUnixMillis: until + to === "" ? nowUnixMillis : parseTime(until || to, nowUnixMillis),
  };
}

/** What is looked at when a URL for labels has no beginning: as much as querier.v1 ProfileTypes looks at without a range. */
const DEFAULT_LABELS_RANGE_MS = 3_600_000;

/** As {@link parseRange}, but the hour before the end where there is no beginning. */
export function parseOpenRange(
  parameters: UrlParameters,
  names: SideNames,
  nowUnixMillis: number,
): ReturnType<typeof parseRange> {
  const range = parseRange(parameters, names, nowUnixMillis);
  if (firstValue(parameters, names.from) !== "") return range;
  return { ...range, startUnixMillis: range.endUnixMillis - DEFAULT_LABELS_RANGE_MS };
}

/**
 * Reads one side of a render URL.
 *
 * @throws `ProtocolError` QUERY_INVALID, in Pyroscope's words, {@link ReceiverError} INVALID_ARGUMENT for a bad range.
 */
export function parseRenderSelection(
  parameters: UrlParameters,
  names: SideNames,
  tenants: readonly string[],
  nowUnixMillis: number,
): RenderSelection {
  const { profileType, matchers } = parseQuery(firstValue(parameters, names.query), names.query);
  const maxNodes = parseMaxNodes(parameters);
  return {
    profileType,
    query: {
      ...parseRange(parameters, names, nowUnixMillis),
      tenants,
      profileType: profileType.id,
      selector: formatSelector(matchers),
      spanIds: listIds(parameters, names.spanId),
      traceIds: listIds(parameters, names.traceId),
      ...(maxNodes !== undefined && { maxNodes }),
      frameNames: firstValue(parameters, "frames") === "line" ? "line" : "function",
    },
  };
}

/** Ids as links have them: a parameter given several times, or one with commas; upper case counts. */
function listIds(parameters: UrlParameters, name: string): string[] {
  const values = [parameters[name] ?? []].flat();
  return values.flatMap((value) => value.split(",")).filter((id) => id !== "");
}

/** Pyroscope reads what is no number as "not given". */
function parseMaxNodes(parameters: UrlParameters): number | undefined {
  const text = firstValue(parameters, "maxNodes") || firstValue(parameters, "max-nodes");
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** `sum` and `avg`; anything else leaves it to the profile type. */
export function parseAggregation(parameters: UrlParameters): Pick<TimeSeriesQuery, "aggregation"> {
  switch (firstValue(parameters, "aggregation")) {
    case "sum":
      return { aggregation: "sum" };
    case "avg":
      return { aggregation: "average" };
    default:
      return {};
  }
}

const PICTURE_FORMATS: ReadonlySet<string> = new Set(["html", "svg", "png"]);
const FILE_FORMATS: ReadonlySet<string> = new Set<ExportFormat>([
  "pprof",
  "collapsed",
  "tree",
  "dot",
  "speedscope",
]);

/**
 * The format of `/render`. Unknown ones mean JSON, as they always have on Pyroscope.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for a picture or page: JSON in an `.svg` helps nobody.
 */
export function parseRenderFormat(parameters: UrlParameters): RenderFormat {
  const format = firstValue(parameters, "format");
  if (PICTURE_FORMATS.has(format)) {
    throw new ReceiverError(`format ${format} is not available: use json, ${[...FILE_FORMATS].join(", ")}`, {
      code: "INVALID_ARGUMENT",
    });
  }
  return isFileFormat(format) ? format : "json";
}

function isFileFormat(format: string): format is ExportFormat {
  return FILE_FORMATS.has(format);
}
