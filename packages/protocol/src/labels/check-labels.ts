import { isWellFormed, utf8Length } from "../utf8.ts";
import { PROFILE_NAME_LABEL, SERVICE_NAME_LABEL } from "./label-names.ts";
import { formatLabels, getLabel, type Label, type LabelSet, sortLabels } from "./label-set.ts";

/** Why a label set is refused, in the words of Pyroscope's `pyroscope_discarded_samples_total{reason}`. */
export type LabelRefusalReason =
  | "missing_labels"
  | "invalid_labels"
  | "max_label_names_per_series"
  | "label_name_too_long"
  | "label_value_too_long"
  | "duplicate_label_names";

/** Limits of one label set. */
export interface LabelLimits {
  /** Labels in all, `__name__` and `service_name` among them. */
  readonly maxLabelCount: number;
  readonly maxNameBytes: number;
  readonly maxValueBytes: number;
  /** Write dots in names as underscores and refuse what is then no classic name, as old servers did. */
  readonly sanitizeNames: boolean;
}

/** Pyroscope's defaults (release 2.2, pkg/validation/limits.go). */
export const DEFAULT_LABEL_LIMITS: LabelLimits = {
  maxLabelCount: 30,
  maxNameBytes: 1024,
  maxValueBytes: 2048,
  sanitizeNames: false,
};

/** `labels` is the set to store; `renamedCount` says how many names were sanitised on the way. */
export type LabelCheck =
  | { readonly ok: true; readonly labels: LabelSet; readonly renamedCount: number }
  | { readonly ok: false; readonly reason: LabelRefusalReason; readonly message: string };

/**
 * Checks the labels of one series in the order and with the texts of Pyroscope, of which clients and operators
 * know both. The first fault decides.
 *
 * Source: Pyroscope pkg/validation/validate.go `ValidateLabels`.
 */
export function checkLabels(labels: LabelSet, limits: LabelLimits = DEFAULT_LABEL_LIMITS): LabelCheck {
  const refusal = findSetFault(labels, limits);
  if (refusal !== undefined) return refusal;
  return limits.sanitizeNames ? checkSanitized(labels, limits) : checkVerbatim(labels, limits);
}

type Refusal = Extract<LabelCheck, { readonly ok: false }>;

function refuse(reason: LabelRefusalReason, message: string): Refusal {
  return { ok: false, reason, message };
}

function findSetFault(labels: LabelSet, limits: LabelLimits): Refusal | undefined {
  if (labels.length === 0) {
    return refuse("missing_labels", "error at least one label pair is required per profile");
  }
  if (labels.length > limits.maxLabelCount) {
    return refuse(
      "max_label_names_per_series",
      `profile series '${formatLabels(labels)}' has ${labels.length} label names; limit ${limits.maxLabelCount}`,
    );
  }
  const profileName = getLabel(labels, PROFILE_NAME_LABEL) ?? "";
  if (profileName === "" || !isWellFormed(profileName)) return invalid(labels, "invalid metric name");
  if ((getLabel(labels, SERVICE_NAME_LABEL) ?? "") === "") {
    return { ...invalid(labels, "service name is not provided"), reason: "missing_labels" };
  }
  return undefined;
}

function invalid(labels: LabelSet, what: string): Refusal {
  return refuse("invalid_labels", `invalid labels '${formatLabels(labels)}' with error: ${what}`);
}

function checkVerbatim(labels: LabelSet, limits: LabelLimits): LabelCheck {
  for (const [i, label] of labels.entries()) {
    const fault = findLengthFault(labels, label, limits) ?? findTextFault(labels, label, isStorableName);
    if (fault !== undefined) return fault;
    if (labels[i - 1]?.name === label.name) return duplicate(labels, label.name, "");
  }
  return { ok: true, labels, renamedCount: 0 };
}

function checkSanitized(labels: LabelSet, limits: LabelLimits): LabelCheck {
  // New name -> the label as it came.
  const origins = new Map<string, Label>();
  for (const label of labels) {
    const fault = findLengthFault(labels, label, limits) ?? findTextFault(labels, label, isDottedName);
    if (fault !== undefined) return fault;
    const name = label.name.replaceAll(".", "_");
    const earlier = origins.get(name);
    if (earlier?.name === label.name) return duplicate(labels, name, "");
    if (earlier !== undefined && earlier.value !== label.value) {
      // Of the two at least one has a dot: that is the one that was renamed.
      const origin = name === label.name ? earlier.name : label.name;
      return duplicate(labels, name, ` after label name sanitization from '${origin}'`);
    }
    origins.set(name, label);
  }
  const renamedCount = labels.filter((label) => label.name.includes(".")).length;
  if (renamedCount === 0) return { ok: true, labels, renamedCount };
  const renamed = Array.from(origins, ([name, { value }]) => ({ name, value }));
  return { ok: true, labels: sortLabels(renamed), renamedCount };
}

function findLengthFault(labels: LabelSet, label: Label, limits: LabelLimits): Refusal | undefined {
  const prefix = () => `profile with labels '${formatLabels(labels)}' has`;
  if (utf8Length(label.name) > limits.maxNameBytes) {
    return refuse("label_name_too_long", `${prefix()} label name too long: '${label.name}'`);
  }
  if (utf8Length(label.value) > limits.maxValueBytes) {
    return refuse("label_value_too_long", `${prefix()} label value too long: '${label.value}'`);
  }
  return undefined;
}

function findTextFault(
  labels: LabelSet,
  label: Label,
  isValidName: (name: string) => boolean,
): Refusal | undefined {
  if (!isValidName(label.name)) return invalid(labels, `invalid label name '${label.name}'`);
  if (!isWellFormed(label.value)) return invalid(labels, `invalid label value '${label.value}'`);
  return undefined;
}

function duplicate(labels: LabelSet, name: string, detail: string): Refusal {
  const prefix = `profile with labels '${formatLabels(labels)}' has`;
  const message = `${prefix} duplicate label name${detail === "" ? ":" : ""} '${name}'${detail}`;
  return refuse("duplicate_label_names", message);
}

function isStorableName(name: string): boolean {
  return name !== "" && isWellFormed(name);
}

function isDottedName(name: string): boolean {
  return /^[A-Za-z_.][A-Za-z0-9_.]*$/.test(name);
}
