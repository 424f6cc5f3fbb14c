import type { QueryOptions, QueryService, RangeQuery, TenantQueryLimits } from "../../query/query-service.ts";

/** The same queries, each bound to the limits of its tenants. */
export function bindQueries(
  queries: QueryService,
  limitsOf: (tenants: readonly string[]) => TenantQueryLimits,
): QueryService {
  const bind = (
    { tenants }: Pick<RangeQuery, "tenants">,
    options: QueryOptions | undefined,
  ): QueryOptions => ({
    ...options,
    limits: limitsOf(tenants),
  });
  return {
    profileTypes: (query, options) => queries.profileTypes(query, bind(query, options)),
    labelNames: (query, options) => queries.labelNames(query, bind(query, options)),
    labelValues: (query, options) => queries.labelValues(query, bind(query, options)),
    series: (query, options) => queries.series(query, bind(query, options)),
    cardinality: (query, options) => queries.cardinality(query, bind(query, options)),
    selectTree: (query, options) => queries.selectTree(query, bind(query, options)),
    // Both sides are of one request.
    selectDiffTree: (query, options) => queries.selectDiffTree(query, bind(query.left, options)),
    exportStacks: (query, options) => queries.exportStacks(query, bind(query, options)),
    selectTimeSeries: (query, options) => queries.selectTimeSeries(query, bind(query, options)),
    selectHeatmap: (query, options) => queries.selectHeatmap(query, bind(query, options)),
    selectSpans: (query, options) => queries.selectSpans(query, bind(query, options)),
    analyzeQuery: (query, options) => queries.analyzeQuery(query, bind(query, options)),
    profileStats: (query) => queries.profileStats(query),
  };
}
