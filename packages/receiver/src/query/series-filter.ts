import type { Matcher } from "@pyroscope-ts/protocol";
import type { ProfileFilter } from "../store/select-filter.ts";
import {
  isTypeLabel,
  PROFILE_TYPE_LABEL,
  serviceLabels,
  typeLabelValue,
} from "../store/select-internal-labels.ts";
import { selectProfileTypes, selectSeriesLabels } from "../store/select-labels.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { TimeRange } from "./time-range.ts";

/** What a selector leaves to look at before any series was read: enough to pick blocks and row groups by. */
export type CoarseFilter = Pick<ProfileFilter, "fromUnixNanos" | "untilUnixNanos" | "types" | "services">;

/** Draws from matchers what is a column of every table. Leaves no profile out that the matchers would keep. */
export function coarseFilter(
  range: Pick<TimeRange, "fromUnixNanos" | "untilUnixNanos">,
  matchers: readonly Matcher[],
  profileType: string | undefined,
): CoarseFilter {
  const type = profileType ?? matchers.find((matcher) => isEquality(matcher, [PROFILE_TYPE_LABEL]))?.value;
  const service = matchers.find(isServiceEquality)?.value;
  return {
    fromUnixNanos: range.fromUnixNanos,
    untilUnixNanos: range.untilUnixNanos,
    ...(type !== undefined && { types: [type] }),
    ...(service !== undefined && { services: [service] }),
  };
}

/**
 * Finds the profile types and series that satisfy every matcher.
 *
 * A series id is a hash of the label set, so that matchers of labels are decided once for each series, and those of the
 * type's parts once for each type: the two narrow a query independently. Regular expressions run here, not in
 * DuckDB, whose dialect differs; each different value is tried once.
 */
export async function resolveFilter(
  snapshot: Snapshot,
  coarse: CoarseFilter,
  matchers: readonly Matcher[],
  signal: AbortSignal | undefined,
): Promise<ProfileFilter> {
  const service = matchers.find(isServiceEquality);
  const ofType = matchers.filter((matcher) => isTypeLabel(matcher.name));
  const ofSeries = matchers.filter((matcher) => matcher !== service && !isTypeLabel(matcher.name));
  return {
    ...coarse,
    ...(ofType.length > 0 && { types: await matchingTypes(snapshot, coarse, ofType, signal) }),
    ...(ofSeries.length > 0 && { series: await matchingSeries(snapshot, coarse, ofSeries, signal) }),
  };
}

async function matchingTypes(
  snapshot: Snapshot,
  coarse: CoarseFilter,
  matchers: readonly Matcher[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const types = await selectProfileTypes(snapshot, coarse, signal);
  return types.filter((type) =>
    matchers.every((matcher) => matcher.matches(typeLabelValue(type, matcher.name))),
  );
}

async function matchingSeries(
  snapshot: Snapshot,
  coarse: CoarseFilter,
  matchers: readonly Matcher[],
  signal: AbortSignal | undefined,
): Promise<BigUint64Array> {
  const equalities = matchers.filter(({ op }) => op === "=");
  const others = matchers.filter(({ op }) => op !== "=");
  const names = others.map(({ name }) => name);
  const rows = await selectSeriesLabels(snapshot, coarse, equalities, names, signal);
  const tests = others.map(rememberAnswers);
  return rows.series.filter((_, row) => tests.every((test, column) => test(rows.values[column]![row]!)));
}

/** Thousands of series share a few values: an expression is tried on each value once. */
function rememberAnswers(matcher: Matcher): (value: string) => boolean {
  const answers = new Map<string, boolean>();
  return (value) => {
    const known = answers.get(value);
    if (known !== undefined) return known;
    const answer = matcher.matches(value);
    answers.set(value, answer);
    return answer;
  };
}

function isServiceEquality(matcher: Matcher): boolean {
  return isEquality(matcher, serviceLabels);
}

function isEquality({ name, op }: Matcher, names: readonly string[]): boolean {
  return op === "=" && names.includes(name);
}
