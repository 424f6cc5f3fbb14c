import type { ReadPlan } from "./snapshot-reader.ts";

/** What someone asked for. */
export interface Asked {
  /** Which answer is made. */
  readonly kind: string;
  /** The request, with limits resolved. */
  readonly query: object;
}

/** Fields of requests that the plan has in a form that does not depend on how they were written. */
const PLANNED: ReadonlySet<string> = new Set(["tenants", "selector", "selectors", "profileType"]);

/** Equal for two queries exactly when they would get the same answer from the same snapshot. */
export function formatQueryKey(plan: ReadPlan, { kind, query }: Asked): string {
  const { tenants, range, matchers, profileType, level } = plan;
  const conditions = matchers.map(({ name, op, value }) => JSON.stringify([name, op, value])).sort();
  const rest = Object.entries(query)
    .filter(([field, value]) => !PLANNED.has(field) && value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([
    kind,
    [...new Set(tenants)].sort(),
    [range?.startUnixMillis, range?.endUnixMillis, level, profileType],
    [...new Set(conditions)],
    rest,
  ]);
}
