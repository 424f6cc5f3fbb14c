import {
  ExemplarType,
  type SelectMergeProfileRequest,
  type SelectMergeSpanProfileRequest,
  type SelectMergeStacktracesRequest,
  type SelectSeriesRequest,
  type StackTraceSelector,
  TimeSeriesAggregationType,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { ExportQuery, RangeQuery, StackQuery, TimeSeriesQuery } from "../../query/query-service.ts";

/** The range of a message. Milliseconds beyond 2^53 lose their last digits, 285,000 years from now. */
export function toRange(
  request: { readonly start: bigint; readonly end: bigint },
  tenants: readonly string[],
): RangeQuery {
  return { tenants, startUnixMillis: Number(request.start), endUnixMillis: Number(request.end) };
}

export function toStackQuery(request: SelectMergeStacktracesRequest, tenants: readonly string[]): StackQuery {
  return {
    ...toRange(request, tenants),
    ...toMaxNodes(request.maxNodes),
    ...toCallSite(request.stackTraceSelector),
    profileType: request.profileTypeID,
    selector: request.labelSelector,
    profileIds: request.profileIdSelector,
    spanIds: request.spanSelector,
    traceIds: request.traceIdSelector,
  };
}

export function toSpanStackQuery(
  request: SelectMergeSpanProfileRequest,
  tenants: readonly string[],
): StackQuery {
  return {
    ...toRange(request, tenants),
    ...toMaxNodes(request.maxNodes),
    profileType: request.profileTypeID,
    selector: request.labelSelector,
    spanIds: request.spanSelector,
  };
}

/** A whole pprof: Pyroscope does not truncate it by default, whatever `max_nodes` says. */
export function toPprofQuery(
  request: SelectMergeStacktracesRequest | SelectMergeProfileRequest,
  tenants: readonly string[],
): ExportQuery {
  const goPgo = request.stackTraceSelector?.goPgo;
  return {
    ...toRange(request, tenants),
    ...toCallSite(request.stackTraceSelector),
    profileType: request.profileTypeID,
    selector: request.labelSelector,
    profileIds: request.profileIdSelector,
    traceIds: request.traceIdSelector,
    ...("spanSelector" in request && { spanIds: request.spanSelector }),
    ...(goPgo !== undefined && {
      keepLocations: goPgo.keepLocations,
      aggregateCallees: goPgo.aggregateCallees,
    }),
    format: "pprof",
  };
}

export function toTimeSeriesQuery(request: SelectSeriesRequest, tenants: readonly string[]): TimeSeriesQuery {
  if (request.exemplarType === ExemplarType.SPAN) {
    throw new ReceiverError("exemplar type span is not implemented", { code: "UNIMPLEMENTED" });
  }
  const aggregation = toAggregation(request.aggregation);
  return {
    ...toRange(request, tenants),
    ...toCallSite(request.stackTraceSelector),
    profileType: request.profileTypeID,
    selector: request.labelSelector,
    stepMs: toStepMs(request.step),
    groupBy: request.groupBy,
    ...(aggregation !== undefined && { aggregation }),
    limit: Number(request.limit ?? 0n),
    exemplars: request.exemplarType === ExemplarType.INDIVIDUAL,
  };
}

/** Rounded to nanoseconds first: 0.29 s × 1000 is 290 ms, though in binary a little less. */
export function toStepMs(stepSeconds: number): number {
  return Math.floor(Math.round(stepSeconds * 1e9) / 1e6);
}

function toAggregation(type: TimeSeriesAggregationType | undefined): TimeSeriesQuery["aggregation"] {
  if (type === undefined) return undefined;
  return type === TimeSeriesAggregationType.AVERAGE ? "average" : "sum";
}

function toMaxNodes(maxNodes: bigint | undefined): Pick<StackQuery, "maxNodes"> {
  return maxNodes === undefined ? {} : { maxNodes: Number(maxNodes) };
}

/** `go_pgo` makes Pyroscope ignore `call_site`. */
function toCallSite(selector: StackTraceSelector | undefined): Pick<StackQuery, "callSite"> {
  if (selector === undefined || selector.goPgo !== undefined || selector.callSite.length === 0) return {};
  return { callSite: selector.callSite.map(({ name }) => name) };
}
