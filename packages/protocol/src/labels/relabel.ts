import { RE2JS } from "re2js";
import { ProtocolError } from "../errors.ts";
import { type LabelSet, sortLabels } from "./label-set.ts";
import { compilePattern } from "./pattern.ts";

const actions = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
  "hashmod",
] as const;

/** One rule, with Prometheus's defaults in place of what it leaves out. */
export interface RelabelRule {
  readonly action: (typeof actions)[number];
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** RE2, anchored. */
  readonly regex: string;
  readonly targetLabel: string;
  readonly replacement: string;
  /** Of `hashmod`; 0 for others. */
  readonly modulus: number;
}

/** Gives labels by rules; undefined where a rule drops what has them. */
export type Relabel = (labels: LabelSet) => LabelSet | undefined;

const MAX_RULES = 100;
const EVERYTHING = "(.*)";
/** Actions that look at the names of labels. */
const nameActions: ReadonlySet<string> = new Set(["labelmap", "labeldrop", "labelkeep"]);

/**
 * Reads relabeling rules as Prometheus has them: `source_labels`, `separator`, `regex`, `modulus`, `target_label`,
 * `replacement` and `action`.
 *
 * @param value - what YAML or JSON said.
 * @throws {@link ProtocolError} `LABELS_INVALID` that names the rule, its field, its value and what was expected.
 *
 * Source: Prometheus model/relabel.
 */
export function parseRelabelRules(value: unknown): readonly RelabelRule[] {
  if (!Array.isArray(value)) throw invalid(`relabeling rules are ${show(value)}: expected a list`);
  if (value.length > MAX_RULES) throw invalid(`${value.length} relabeling rules: limit ${MAX_RULES}`);
  return value.map((rule: unknown, i) => parseRule(rule, `relabeling rule ${i}`));
}

function parseRule(value: unknown, subject: string): RelabelRule {
  if (typeof value !== "object" || value === null) {
    throw invalid(`${subject} is ${show(value)}: expected names with values`);
  }
  const { source_labels = [], separator = ";", regex = EVERYTHING, ...rest } = value as RuleFields;
  const { target_label = "", replacement = "$1", action = "replace", modulus = 0, ...others } = rest;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`${subject}: there is no field ${show(unknown)}`);
  if (!Array.isArray(source_labels) || !source_labels.every((name) => typeof name === "string")) {
    throw invalid(`${subject}: source_labels is ${show(source_labels)}: expected a list of names`);
  }
  const texts = { separator, regex: toText(regex), target_label, replacement: toText(replacement) };
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== "string") throw invalid(`${subject}: ${name} is ${show(text)}: expected a text`);
  }
  const known = actions.find((name) => name === String(action).toLowerCase());
  if (known === undefined) {
    throw invalid(`${subject}: action is ${show(action)}: expected one of ${actions.join(", ")}`);
  }
  const rule: RelabelRule = {
    action: known,
    sourceLabels: source_labels,
    separator: String(separator),
    regex: String(texts.regex),
    targetLabel: String(target_label),
    replacement: String(texts.replacement),
    modulus: readModulus(modulus, known, subject),
  };
  const needsTarget = ["replace", "keepequal", "dropequal", "lowercase", "uppercase", "hashmod"].includes(
    known,
  );
  if (needsTarget && rule.targetLabel === "") throw invalid(`${subject}: ${known} needs a target_label`);
  compileRegex(rule, subject);
  return rule;
}

function readModulus(value: unknown, action: RelabelRule["action"], subject: string): number {
  const least = action === "hashmod" ? 1 : 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(`${subject}: modulus is ${show(value)}: expected a whole number from ${least}`);
}

interface RuleFields {
  readonly source_labels?: unknown;
  readonly separator?: unknown;
  readonly regex?: unknown;
  readonly target_label?: unknown;
  readonly replacement?: unknown;
  readonly action?: unknown;
  readonly modulus?: unknown;
}

/** `regex: 5` is a number to YAML. */
function toText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

/** The MD5 of a text's UTF-8: 16 bytes. For `hashmod` alone, whose results must be Prometheus's. */
export type Md5 = (text: string) => Uint8Array;

/**
 * Compiles rules that {@link parseRelabelRules} gave. They apply in order, each to what the one before left.
 *
 * @param md5 - of the platform: this package has no hashes but its own.
 */
export function compileRelabelRules(rules: readonly RelabelRule[], md5: Md5): Relabel {
  const steps = rules.map((rule) => compileRule(rule, md5));
  return (labels) => {
    const values = new Map(labels.map(({ name, value }) => [name, value]));
    for (const step of steps) if (!step(values)) return undefined;
    return sortLabels(Array.from(values, ([name, value]) => ({ name, value })));
  };
}

/** Changes labels; false where they are dropped. */
type Step = (labels: Map<string, string>) => boolean;

function compileRule(rule: RelabelRule, md5: Md5): Step {
  const { action, targetLabel, replacement, separator, sourceLabels } = rule;
  const regex = compileRegex(rule, "relabeling rule");
  if (nameActions.has(action)) return compileNameRule(rule, regex);
  const source = (labels: Map<string, string>) =>
    sourceLabels.map((name) => labels.get(name) ?? "").join(separator);
  const set = (labels: Map<string, string>, name: string, value: string): true => {
    if (value === "") labels.delete(name);
    else labels.set(name, value);
    return true;
  };
  switch (action) {
    case "keep":
      return (labels) => regex.matches(source(labels));
    case "drop":
      return (labels) => !regex.matches(source(labels));
    case "keepequal":
      return (labels) => (labels.get(targetLabel) ?? "") === source(labels);
    case "dropequal":
      return (labels) => (labels.get(targetLabel) ?? "") !== source(labels);
    case "lowercase":
      return (labels) => set(labels, targetLabel, source(labels).toLowerCase());
    case "uppercase":
      return (labels) => set(labels, targetLabel, source(labels).toUpperCase());
    case "hashmod":
      return (labels) =>
        set(labels, targetLabel, String(lastHalf(md5(source(labels))) % BigInt(rule.modulus)));
    default:
      return (labels) => {
        const groups = findGroups(regex, source(labels));
        if (groups === undefined) return true;
        const name = expand(targetLabel, groups);
        return name === "" || set(labels, name, expand(replacement, groups));
      };
  }
}

/** What Prometheus takes of an MD5. */
function lastHalf(digest: Uint8Array): bigint {
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(8);
}

function compileNameRule({ action, replacement }: RelabelRule, regex: RE2JS): Step {
  return (labels) => {
    for (const [name, value] of [...labels]) {
      const groups = findGroups(regex, name);
      if (action === "labelmap" && groups !== undefined) {
        const mapped = expand(replacement, groups);
        if (mapped !== "") labels.set(mapped, value);
      } else if (action !== "labelmap" && (groups !== undefined) === (action === "labeldrop")) {
        labels.delete(name);
      }
    }
    return true;
  };
}

function compileRegex({ regex }: RelabelRule, subject: string): RE2JS {
  const checked = compilePattern(regex);
  if (!checked.ok) throw invalid(`${subject}: regex ${show(regex)}: ${checked.problem}`);
  return RE2JS.compile(regex, RE2JS.DOTALL);
}

/** Text of each group of a match of the whole text, 0 for all of it; undefined without a match. */
function findGroups(regex: RE2JS, text: string): ((group: string) => string) | undefined {
  const matcher = regex.matcher(text);
  if (!matcher.matches()) return undefined;
  const named = regex.namedGroups();
  return (group) => {
    const number = /^\d+$/.test(group) ? Number(group) : named[group];
    if (number === undefined || number > matcher.groupCount()) return "";
    return matcher.group(number) ?? "";
  };
}

/** `$1`, `${1}`, `${name}`, and `$$` for a dollar. Source: Go's regexp.Expand. */
function expand(template: string, group: (name: string) => string): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) =>
    whole === "$$" ? "$" : group(bare ?? braced ?? ""),
  );
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(message, { code: "LABELS_INVALID" });
}
