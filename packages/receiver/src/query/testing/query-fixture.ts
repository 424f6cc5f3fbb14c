import { systemClock } from "../../clock.ts";
import { Querier } from "../querier.ts";
import {
  DEFAULT_QUERY_LIMITS,
  type QueryLimits,
  type QueryService,
  type StackQuery,
} from "../query-service.ts";
import { CPU_TYPE, createTableStore, type TableStore } from "./table-store.ts";

/** The first millisecond that {@link stackQuery} looks at. A multiple of 15 s, so that it begins a bucket. */
export const T0 = 1_700_000_010_000;

/** A time `offsetMs` after {@link T0}. */
export function nanosAt(offsetMs: number): bigint {
  return BigInt(T0 + offsetMs) * 1_000_000n;
}

/** CPU of one second from {@link T0} on, unless changed. */
export function stackQuery(changes: Partial<StackQuery> = {}): StackQuery {
  return {
    tenants: ["anonymous"],
    startUnixMillis: T0,
    endUnixMillis: T0 + 1000,
    profileType: CPU_TYPE,
    selector: "{}",
    ...changes,
  };
}

/** A store that is empty at first, and queries over it. The clock stands a minute after {@link T0}. */
export interface QueryFixture {
  readonly store: TableStore;
  readonly queries: QueryService;
  /** Queries over the same store with other limits. */
  withLimits(limits: Partial<QueryLimits>): QueryService;
}

/** Makes a fixture; its store must be closed. */
export async function createQueryFixture(): Promise<QueryFixture> {
  const store = await createTableStore();
  const withLimits = (limits: Partial<QueryLimits>): QueryService => {
    const clock = { ...systemClock, nowUnixMillis: () => T0 + 60_000 };
    return new Querier({ store, limits: { ...DEFAULT_QUERY_LIMITS, ...limits }, clock });
  };
  return { store, queries: withLimits({}), withLimits };
}

/** The same queries as an object that can be spread: its methods are its own. */
export function spreadable(queries: QueryService): QueryService {
  return {
    profileTypes: (query, options) => queries.profileTypes(query, options),
    labelNames: (query, options) => queries.labelNames(query, options),
    labelValues: (query, options) => queries.labelValues(query, options),
    series: (query, options) => queries.series(query, options),
    cardinality: (query, options) => queries.cardinality(query, options),
    selectTree: (query, options) => queries.selectTree(query, options),
    selectDiffTree: (query, options) => queries.selectDiffTree(query, options),
    exportStacks: (query, options) => queries.exportStacks(query, options),
    selectTimeSeries: (query, options) => queries.selectTimeSeries(query, options),
    selectHeatmap: (query, options) => queries.selectHeatmap(query, options),
    selectSpans: (query, options) => queries.selectSpans(query, options),
    analyzeQuery: (query, options) => queries.analyzeQuery(query, options),
    profileStats: (query) => queries.profileStats(query),
  };
}
