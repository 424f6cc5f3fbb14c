import type { ReadPlan } from "./snapshot-reader.ts";

/** What someone asked for. */
export interface Asked {
  /** Which answer is made. */
  readonly kind: string;
  /** The request, with limits resolved. */
  readonly query: object;
  /** Whether the answer follows from the profiles in the range alone: from another range with the same ones comes the same. */
  readonly isRangeFree?: boolean;
}

/** Names of a question. */
export interface QueryKeys {
  /** Equal for two queries exactly when they would get the same answer from the same snapshot. */
  readonly exact: string;
  /** Equal for range-free questions that differ in the start and end of a range of one length; undefined for others. */
  readonly sliding: string | undefined;
}

/** Fields of requests that the plan has in a form that does not depend on how they were written. */
const PLANNED: ReadonlySet<string> = new Set(["tenants", "selector", "selectors", "profileType"]);
const TIMES: ReadonlySet<string> = new Set(["startUnixMillis", "endUnixMillis"]);

/** Names a question by what it asks for, however it is written. */
export function formatQueryKeys(plan: ReadPlan, { kind, query, isRangeFree }: Asked): QueryKeys {
  const { tenants, range, matchers, profileType, level } = plan;
  const conditions = matchers.map(({ name, op, value }) => JSON.stringify([name, op, value])).sort();
  const rest = Object.entries(query)
    .filter(
      ([field, value]) => !PLANNED.has(field) && !(isRangeFree && TIMES.has(field)) && value !== undefined,
    )
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const [start, end] = [range?.startUnixMillis ?? 0, range?.endUnixMillis ?? 0];
  const format = (times: readonly number[]): string =>
    JSON.stringify([
      kind,
      [...new Set(tenants)].sort(),
      [...times, level, profileType],
      [...new Set(conditions)],
      rest,
    ]);
  return { exact: format([start, end]), sliding: isRangeFree ? format([end - start]) : undefined };
}
