import { checkLabels, type LabelLimits } from "@pyroscope-ts/protocol";
import type { IngestLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { FinishLabels } from "./split-samples.ts";

/** The limits that concern the labels of one series. */
export type SeriesLabelLimits = Pick<
  IngestLimits,
  "maxLabelNamesPerSeries" | "maxLabelNameBytes" | "maxLabelValueBytes" | "isLabelSanitizationDisabled"
>;

/**
 * Checks the labels of final series against a tenant's limits, and makes names classic where the tenant wants it.
 *
 * @param onRenamed - told how many names of a series were made classic, if any.
 */
export function labelChecker(
  limits: SeriesLabelLimits,
  onRenamed: (count: number) => void = () => {},
): FinishLabels {
  const labelLimits: LabelLimits = {
    maxLabelCount: limits.maxLabelNamesPerSeries || Infinity,
    maxNameBytes: limits.maxLabelNameBytes || Infinity,
    maxValueBytes: limits.maxLabelValueBytes || Infinity,
    sanitizeNames: !limits.isLabelSanitizationDisabled,
  };
  return (labels) => {
    const check = checkLabels(labels, labelLimits);
    if (!check.ok) return new Refusal(check.reason, check.message);
    if (check.renamedCount > 0) onRenamed(check.renamedCount);
    return check.labels;
  };
}
