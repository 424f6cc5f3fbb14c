import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { isClassicLabelName } from "@pyroscope-ts/protocol";
import {
  create,
  type DiffRequest,
  ProfileFormat,
  type QuerierService,
  type SelectMergeStacktracesRequest,
  SelectMergeStacktracesRequestSchema,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { Answer, QueryOptions, QueryService, StackQuery } from "../../query/query-service.ts";
import { requestContextKey } from "../request-context.ts";
import { answerHeaders } from "./answer-headers.ts";
import {
  toFlameGraph,
  toFlameGraphDiff,
  toLabels,
  toProfileMessage,
  toProfileType,
  toQueryAnalysis,
  toSeries,
} from "./querier-route-answer.ts";
import { acceptsUtf8LabelNames } from "./querier-route-capability.ts";
import { toHeatmapQuery, toHeatmapSeries } from "./querier-route-heatmap.ts";
import {
  toPprofQuery,
  toRange,
  toSpanStackQuery,
  toStackQuery,
  toTimeSeriesQuery,
} from "./querier-route-request.ts";

/** What {@link createQuerier} works with. */
export interface QuerierRouteOptions {
  readonly queries: QueryService;
}

type Querier = ServiceImpl<typeof QuerierService>;

/**
 * `querier.v1.QuerierService`: what Grafana, Profiles Drilldown and profilecli read by.
 */
export function createQuerier({ queries }: QuerierRouteOptions): Querier {
  return { ...labelMethods(queries), ...stackMethods(queries), ...otherMethods(queries) };
}

function labelMethods(
  queries: QueryService,
): Pick<Querier, "profileTypes" | "labelNames" | "labelValues" | "series"> {
  return {
    async profileTypes(request, context) {
      const answer = await queries.profileTypes(toRange(request, tenantsOf(context)), optionsOf(context));
      return { profileTypes: take(answer, context).map(toProfileType) };
    },

    async labelNames(request, context) {
      const allowsAll = acceptsUtf8LabelNames(context.requestHeader.get("accept"));
      const query = { ...toRange(request, tenantsOf(context)), selectors: request.matchers };
      const names = take(await queries.labelNames(query, optionsOf(context)), context);
      return { names: allowsAll ? [...names] : names.filter(isClassicLabelName) };
    },

    async labelValues(request, context) {
      const { name, matchers } = request;
      const query = { ...toRange(request, tenantsOf(context)), selectors: matchers, name };
      return { names: [...take(await queries.labelValues(query, optionsOf(context)), context)] };
    },

    async series(request, context) {
      const allowsAll = acceptsUtf8LabelNames(context.requestHeader.get("accept"));
      const query = {
        ...toRange(request, tenantsOf(context)),
        selectors: request.matchers,
        // Nothing left means every label, as on Pyroscope: the client cannot tell the two apart.
        labelNames: allowsAll ? request.labelNames : request.labelNames.filter(isClassicLabelName),
      };
      return { labelsSet: take(await queries.series(query, optionsOf(context)), context).map(toLabels) };
    },
  };
}

function stackMethods(
  queries: QueryService,
): Pick<Querier, "selectMergeStacktraces" | "selectMergeSpanProfile" | "selectMergeProfile" | "diff"> {
  return {
    async selectMergeStacktraces(request, context) {
      const tenants = tenantsOf(context);
      switch (request.format) {
        case ProfileFormat.TREE:
          return { tree: await readTreeBytes(queries, toStackQuery(request, tenants), context) };
        case ProfileFormat.PPROF:
          return { pprof: { profile: await readPprof(queries, toPprofQuery(request, tenants), context) } };
        case ProfileFormat.DOT:
          return { dot: await readDot(queries, toStackQuery(request, tenants), context) };
        default:
          return { flamegraph: await readFlameGraph(queries, toStackQuery(request, tenants), context) };
      }
    },

    async selectMergeSpanProfile(request, context) {
      const query = toSpanStackQuery(request, tenantsOf(context));
      if (request.format === ProfileFormat.TREE)
        return { tree: await readTreeBytes(queries, query, context) };
      return { flamegraph: await readFlameGraph(queries, query, context) };
    },

    async selectMergeProfile(request, context) {
      return await readPprof(queries, toPprofQuery(request, tenantsOf(context)), context);
    },

    async diff(request, context) {
      const [left, right] = sidesOf(request).map((side) => toStackQuery(side, tenantsOf(context))) as [
        StackQuery,
        StackQuery,
      ];
      const answer = await queries.selectDiffTree({ left, right }, optionsOf(context));
      return { flamegraph: toFlameGraphDiff(take(answer, context)) };
    },
  };
}

function otherMethods(
  queries: QueryService,
): Pick<Querier, "selectSeries" | "selectHeatmap" | "getProfileStats" | "analyzeQuery"> {
  return {
    async selectSeries(request, context) {
      const query = toTimeSeriesQuery(request, tenantsOf(context));
      const answer = await queries.selectTimeSeries(query, optionsOf(context));
      return { series: take(answer, context).map(toSeries) };
    },

    async getProfileStats(_request, context) {
      const [tenant, ...others] = tenantsOf(context);
      if (tenant === undefined || others.length > 0) {
        throw new ReceiverError(`expected 1 tenant, got ${tenantsOf(context).length}`, {
          code: "INVALID_ARGUMENT",
        });
      }
      const { dataIngested, oldestUnixMillis, newestUnixMillis } = await queries.profileStats({ tenant });
      return {
        dataIngested,
        oldestProfileTime: BigInt(oldestUnixMillis),
        newestProfileTime: BigInt(newestUnixMillis),
      };
    },

    async selectHeatmap(request, context) {
      const query = toHeatmapQuery(request, tenantsOf(context));
      const answer = await queries.selectHeatmap(query, optionsOf(context));
      return { series: toHeatmapSeries(take(answer, context)) };
    },

    async analyzeQuery(request, context) {
      const query = { ...toRange(request, tenantsOf(context)), query: request.query };
      return toQueryAnalysis(take(await queries.analyzeQuery(query, optionsOf(context)), context));
    },
  };
}

async function readFlameGraph(queries: QueryService, query: StackQuery, context: HandlerContext) {
  return toFlameGraph(take(await queries.selectTree(query, optionsOf(context)), context));
}

async function readTreeBytes(
  queries: QueryService,
  query: StackQuery,
  context: HandlerContext,
): Promise<Uint8Array> {
  return take(await queries.exportStacks({ ...query, format: "tree" }, optionsOf(context)), context);
}

async function readDot(queries: QueryService, query: StackQuery, context: HandlerContext): Promise<string> {
  const answer = await queries.exportStacks({ ...query, format: "dot" }, optionsOf(context));
  return new TextDecoder().decode(take(answer, context));
}

async function readPprof(
  queries: QueryService,
  query: ReturnType<typeof toPprofQuery>,
  context: HandlerContext,
) {
  return toProfileMessage(take(await queries.exportStacks(query, optionsOf(context)), context));
}

/** A side that is missing is an empty request, which lacks a range. */
function sidesOf({ left, right }: DiffRequest): readonly SelectMergeStacktracesRequest[] {
  return [left, right].map((side) => side ?? create(SelectMergeStacktracesRequestSchema));
}

function tenantsOf(context: HandlerContext): readonly string[] {
  return context.values.get(requestContextKey).tenants;
}

function optionsOf(context: HandlerContext): QueryOptions {
  return { signal: context.signal };
}

/** The value of an answer; how complete it is goes into headers. */
function take<Value>(answer: Answer<Value>, context: HandlerContext): Value {
  for (const [name, value] of answerHeaders(answer)) context.responseHeader.set(name, value);
  return answer.value;
}
