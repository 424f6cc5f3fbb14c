import type { QueryService } from "../../query/query-service.ts";

/** The same queries, counted while they run. */
export function countQueries(queries: QueryService, running: { inc(): void; dec(): void }): QueryService {
  const count = async <Result>(query: () => Promise<Result>): Promise<Result> => {
    running.inc();
    try {
      return await query();
    } finally {
      running.dec();
    }
  };
  return {
    profileTypes: (query, options) => count(() => queries.profileTypes(query, options)),
    labelNames: (query, options) => count(() => queries.labelNames(query, options)),
    labelValues: (query, options) => count(() => queries.labelValues(query, options)),
    series: (query, options) => count(() => queries.series(query, options)),
    cardinality: (query, options) => count(() => queries.cardinality(query, options)),
    selectTree: (query, options) => count(() => queries.selectTree(query, options)),
    selectDiffTree: (query, options) => count(() => queries.selectDiffTree(query, options)),
    exportStacks: (query, options) => count(() => queries.exportStacks(query, options)),
    selectTimeSeries: (query, options) => count(() => queries.selectTimeSeries(query, options)),
    selectHeatmap: (query, options) => count(() => queries.selectHeatmap(query, options)),
    selectSpans: (query, options) => count(() => queries.selectSpans(query, options)),
    analyzeQuery: (query, options) => count(() => queries.analyzeQuery(query, options)),
    profileStats: (query) => queries.profileStats(query),
  };
}
