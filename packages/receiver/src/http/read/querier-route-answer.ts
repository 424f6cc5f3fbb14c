import {
  type DiffTree,
  diffTreeToFlamebearer,
  type LabelSet,
  parseProfileType,
  type Tree,
  treeToFlamebearer,
} from "@pyroscope-ts/protocol";
import {
  type AnalyzeQueryResponse,
  AnalyzeQueryResponseSchema,
  create,
  type FlameGraph,
  type FlameGraphDiff,
  FlameGraphDiffSchema,
  FlameGraphSchema,
  fromBinary,
  googleV1,
  type Labels,
  LabelsSchema,
  type ProfileType,
  ProfileTypeSchema,
  type Series,
  SeriesSchema,
} from "@pyroscope-ts/protocol/messages";
import type { QueryCost, TimeSeries } from "../../query/query-service.ts";

export function toFlameGraph(tree: Tree): FlameGraph {
  const { names, levels, numTicks, maxSelf } = treeToFlamebearer(tree);
  return create(FlameGraphSchema, {
    names: [...names],
    levels: levels.map(toLevel),
    total: BigInt(numTicks),
    maxSelf: BigInt(maxSelf),
  });
}

export function toFlameGraphDiff(diff: DiffTree): FlameGraphDiff {
  const { names, levels, numTicks, maxSelf, leftTicks, rightTicks } = diffTreeToFlamebearer(diff);
  return create(FlameGraphDiffSchema, {
    names: [...names],
    levels: levels.map(toLevel),
    total: BigInt(numTicks),
    maxSelf: BigInt(maxSelf),
    leftTicks: BigInt(leftTicks),
    rightTicks: BigInt(rightTicks),
  });
}

/** The message of a pprof. A merge of nothing has no sample type either, as Pyroscope answers it. */
export function toProfileMessage(pprof: Uint8Array): googleV1.Profile {
  const profile = fromBinary(googleV1.ProfileSchema, pprof);
  return profile.sample.length === 0 ? create(googleV1.ProfileSchema) : profile;
}

export function toProfileType(id: string): ProfileType {
  const { name, sampleType, sampleUnit, periodType, periodUnit } = parseProfileType(id);
  return create(ProfileTypeSchema, { ID: id, name, sampleType, sampleUnit, periodType, periodUnit });
}

export function toLabels(labels: LabelSet): Labels {
  return create(LabelsSchema, { labels: labels.map(({ name, value }) => ({ name, value })) });
}

export function toSeries(series: TimeSeries): Series {
  const { labels } = toLabels(series.labels);
  const points = Array.from(series.unixMillis, (unixMillis, i) => ({
    timestamp: BigInt(unixMillis),
    value: series.values[i] ?? 0,
    exemplars: toExemplars(series, i),
  }));
  return create(SeriesSchema, { labels, points });
}

/** What a query would touch; this server is one component, whose head is no block. */
export function toQueryAnalysis(cost: QueryCost): AnalyzeQueryResponse {
  const indexBytes = BigInt(cost.indexBytes);
  const profileBytes = BigInt(cost.profileBytes);
  const symbolBytes = BigInt(cost.symbolBytes);
  return create(AnalyzeQueryResponseSchema, {
    queryScopes: [
      {
        componentType: "Storage",
        componentCount: 1n,
        blockCount: BigInt(cost.blockCount),
        seriesCount: BigInt(cost.seriesCount),
        profileCount: BigInt(cost.profileCount),
        sampleCount: BigInt(cost.sampleCount),
        indexBytes,
        profileBytes,
        symbolBytes,
      },
    ],
    queryImpact: {
      totalBytesInTimeRange: indexBytes + profileBytes + symbolBytes,
      totalQueriedSeries: BigInt(cost.seriesCount),
      deduplicationNeeded: false,
    },
  });
}

function toExemplars({ exemplars }: TimeSeries, point: number) {
  const exemplar = exemplars?.[point];
  if (exemplar === undefined) return [];
  const { labels } = toLabels(exemplar.labels);
  const timestamp = BigInt(exemplar.unixMillis);
  return [{ timestamp, profileId: exemplar.profileId, value: exemplar.value, labels }];
}

function toLevel(values: readonly number[]): { readonly values: bigint[] } {
  return { values: values.map(BigInt) };
}
