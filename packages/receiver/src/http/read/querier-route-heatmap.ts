import {
  create,
  ExemplarType,
  HeatmapQueryType,
  type HeatmapSeries,
  HeatmapSeriesSchema,
  type SelectHeatmapRequest,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { Heatmap, HeatmapQuery, SpanExemplar } from "../../query/query-service.ts";
import { toLabels } from "./querier-route-answer.ts";
import { toRange, toStepMs } from "./querier-route-request.ts";

/**
 * Reads a request for a heat map.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT with Pyroscope's texts, where Pyroscope answers some of them as `unknown`.
 */
export function toHeatmapQuery(request: SelectHeatmapRequest, tenants: readonly string[]): HeatmapQuery {
  const { step, limit = 0n, start, end } = request;
  const stepMs = toStepMs(step);
  if (!(stepMs >= 1)) throw invalid(`step must be >= 1ms, got ${step.toFixed(6)}`);
  if (limit < 0n) throw invalid(`limit must be non-negative, got ${limit}`);
  if (start >= end) throw invalid(`start time must be before end time, got start=${start} end=${end}`);
  const point = toPoint(request.queryType);
  return {
    ...toRange(request, tenants),
    profileType: request.profileTypeID,
    selector: request.labelSelector,
    stepMs,
    groupBy: request.groupBy,
    point,
    limit: Number(limit),
    exemplars: wantsExemplars(request.exemplarType, point),
  };
}

function toPoint(type: HeatmapQueryType): HeatmapQuery["point"] {
  switch (type) {
    case HeatmapQueryType.INDIVIDUAL:
      return "profile";
    case HeatmapQueryType.SPAN:
      return "span";
    default:
      throw invalid("valid heatmap query type must be specified");
  }
}

function wantsExemplars(type: ExemplarType, point: HeatmapQuery["point"]): boolean {
  if (type === ExemplarType.INDIVIDUAL && point !== "profile") {
    throw invalid("individual exemplars only available for individual query type");
  }
  if (type === ExemplarType.SPAN && point !== "span") {
    throw invalid("span exemplars only available for span query type");
  }
  return type === ExemplarType.INDIVIDUAL || type === ExemplarType.SPAN;
}

/** The series of a heat map as messages. */
export function toHeatmapSeries({ cellMin, series }: Heatmap): HeatmapSeries[] {
  return series.map(({ labels, slots }) =>
    create(HeatmapSeriesSchema, {
      labels: toLabels(labels).labels,
      slots: slots.map(({ unixMillis, counts, exemplars }) => ({
        timestamp: BigInt(unixMillis),
        yMin: [...cellMin],
        counts: [...counts],
        exemplars: exemplars.map(toExemplar),
      })),
    }),
  );
}

function toExemplar({ unixMillis, profileId, spanId, traceId, value, labels }: SpanExemplar) {
  return {
    timestamp: BigInt(unixMillis),
    profileId,
    spanId,
    traceId,
    value,
    labels: toLabels(labels).labels,
  };
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
