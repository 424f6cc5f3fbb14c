import { createHash } from "node:crypto";
import {
  checkLabels,
  compileRelabelRules,
  type LabelLimits,
  type Md5,
  parseRelabelRules,
  type Relabel,
} from "@pyroscope-ts/protocol";
import type { IngestLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { FinishLabels } from "./split-samples.ts";

/** The limits that concern the labels of one series. */
export type SeriesLabelLimits = Pick<
  IngestLimits,
  | "maxLabelNamesPerSeries"
  | "maxLabelNameBytes"
  | "maxLabelValueBytes"
  | "isLabelSanitizationDisabled"
  | "relabelRules"
>;

/** Told what became of the labels of series. */
export interface LabelWatcher {
  /** So many names of a series were made classic. */
  onRenamed(count: number): void;
  /** A rule dropped a series. */
  onDropped(): void;
}

/**
 * Applies a tenant's relabeling rules to the labels of final series, checks them against its limits, and makes names classic
 * where it wants that.
 */
export function labelChecker(limits: SeriesLabelLimits, watcher?: LabelWatcher): FinishLabels {
  const relabel = relabelerOf(limits.relabelRules);
  const labelLimits: LabelLimits = {
    maxLabelCount: limits.maxLabelNamesPerSeries || Infinity,
    maxNameBytes: limits.maxLabelNameBytes || Infinity,
    maxValueBytes: limits.maxLabelValueBytes || Infinity,
    sanitizeNames: !limits.isLabelSanitizationDisabled,
  };
  return (sent) => {
    const labels = relabel(sent);
    if (labels === undefined) {
      watcher?.onDropped();
      return undefined;
    }
    const check = checkLabels(labels, labelLimits);
    if (!check.ok) return new Refusal(check.reason, check.message);
    if (check.renamedCount > 0) watcher?.onRenamed(check.renamedCount);
    return check.labels;
  };
}

// Tenants have few different rules, and each push asks for them. A file of overrides can change them without end.
const MAX_COMPILED_RULES = 1000;
const compiledRules = new Map<string, Relabel>();

const md5: Md5 = (text) => createHash("md5").update(text).digest();

function relabelerOf(rules: string): Relabel {
  if (rules === "") return (labels) => labels;
  let relabel = compiledRules.get(rules);
  if (relabel === undefined) {
    if (compiledRules.size >= MAX_COMPILED_RULES) compiledRules.clear();
    relabel = compileRelabelRules(parseRelabelRules(JSON.parse(rules)), md5);
    compiledRules.set(rules, relabel);
  }
  return relabel;
}
