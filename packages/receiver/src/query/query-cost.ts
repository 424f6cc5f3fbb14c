import {
  formatProfileType,
  type Matcher,
  ProtocolError,
  parseQuery,
  parseSelector,
} from "@pyroscope-ts/protocol";
import type { TableName } from "../store/schema.ts";
import { selectCost } from "../store/select-cost.ts";
import { levelOfRange } from "./query-level.ts";
import type { AnalysisQuery, QueryCost } from "./query-service.ts";
import type { ReadContext, ReadPlan } from "./snapshot-reader.ts";
import type { TimeRange } from "./time-range.ts";

/** What a query over nothing costs. */
export const NO_COST: QueryCost = {
  blockCount: 0,
  seriesCount: 0,
  profileCount: 0,
  sampleCount: 0,
  indexBytes: 0,
  profileBytes: 0,
  symbolBytes: 0,
};

/** @throws `ProtocolError` SELECTOR_INVALID for a query that is neither one of `/render` nor a selector. */
export function planAnalysis({ tenants, query }: AnalysisQuery, range: TimeRange | undefined): ReadPlan {
  return {
    tenants,
    range,
    ...parseAnalyzed(query),
    tables: ["totals", "series"],
    level: levelOfRange(range),
  };
}

function parseAnalyzed(query: string): { matchers: readonly Matcher[]; profileType: string | undefined } {
  if (query === "") return { matchers: [], profileType: undefined };
  try {
    const { matchers, profileType } = parseQuery(query);
    return { matchers, profileType: formatProfileType(profileType) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // Without a profile type it is a selector, or nothing that can be read: then this says why.
    return { matchers: parseSelector(query), profileType: undefined };
  }
}

/** Counts what the query would read. Files are read in part: their bytes are the most that it can be. */
export async function readQueryCost({ snapshot, filter, signal }: ReadContext): Promise<QueryCost> {
  const counts = await selectCost(snapshot, filter, signal);
  const bytesOf = (...tables: readonly TableName[]): number =>
    snapshot.blockSizes.reduce((sum, sizes) => tables.reduce((part, table) => part + sizes[table], sum), 0);
  return {
    ...counts,
    blockCount: snapshot.blockSizes.length,
    indexBytes: bytesOf("series"),
    profileBytes: bytesOf("samples", "totals"),
    symbolBytes: bytesOf("stacks", "frames"),
  };
}
