import { createHash } from "node:crypto";
import { findRuleProblems, profileTypeOf } from "./check-rule.ts";
import { createRuleId } from "./place-rule.ts";
import type { RuleLabel, RuleRequest } from "./recording-rule.ts";

/** Rules that stand in the configuration, with their ids. */
export interface ProvisionedRules {
  /** Of every tenant that has none of its own there. */
  readonly ofAll: readonly RuleRequest[];
  readonly ofTenants: ReadonlyMap<string, readonly RuleRequest[]>;
}

/** Names of `settings.v1.RecordingRule`, as a configuration spells them. */
const RULE_NAMES = [
  "id",
  "metric_name",
  "profile_type",
  "matchers",
  "group_by",
  "external_labels",
  "generation",
  "stacktrace_filter",
  "provisioned",
] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a list of rules as a configuration holds it: fields of `settings.v1.RecordingRule` by their names in the message. A
 * rule without an id gets one that says what it is, so that it is the same after a restart, and another when it changes.
 *
 * @throws Error that says which rule, and everything that is wrong with it.
 */
export function parseProvisionedRules(list: unknown): readonly RuleRequest[] {
  if (!Array.isArray(list)) throw new Error(`expected a list of rules, got ${JSON.stringify(list)}`);
  const rules = list.map(readRule);
  const ids = rules.map(({ id }) => id);
  const second = ids.findIndex((id, index) => ids.indexOf(id) < index);
  if (second !== -1) throw new Error(`rule ${second}: id ${ids[second]} stands twice`);
  return rules;
}

function readRule(value: unknown, index: number): RuleRequest {
  try {
    const fields = readFields(value, RULE_NAMES);
    const rule: RuleRequest = {
      id: readText(fields, "id"),
      metricName: readText(fields, "metric_name").trim(),
      matchers: readTexts(fields, "matchers"),
      groupBy: readTexts(fields, "group_by"),
      externalLabels: readLabels(fields.external_labels),
      functionName: readFunctionName(fields.stacktrace_filter),
      generation: readNumber(fields, "generation"),
    };
    const named = rule.id === "" ? { ...rule, id: createRuleId(digest(rule)) } : rule;
    const problems = findRuleProblems(named);
    if (problems.length > 0) throw new Error(problems.join("; "));
    checkProfileType(readText(fields, "profile_type"), named);
    // A change of a rule begins its metric anew, and nobody counts generations of a file.
    return { ...named, generation: digest(named).readUIntBE(0, 6) };
  } catch (cause) {
    throw new Error(`rule ${index}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Of everything that a rule is. */
function digest(rule: RuleRequest): Buffer {
  return createHash("sha256").update(JSON.stringify(rule)).digest();
}

/** A rule names its type with its matchers; a file that was copied from an answer names it once more. */
function checkProfileType(profileType: string, { matchers }: RuleRequest): void {
  const selected = profileTypeOf(matchers);
  if (profileType !== "" && profileType !== selected)
    throw new Error(
      `profile_type ${JSON.stringify(profileType)}: the matchers select ${JSON.stringify(selected)}`,
    );
}

function readFields(value: unknown, names: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`expected names with values, got ${JSON.stringify(value)}`);
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw new Error(`${name}: there is no such field`);
  }
  return value as Fields;
}

function readText(fields: Fields, name: string): string {
  const value = fields[name] ?? "";
  if (typeof value !== "string") throw new Error(`${name}=${JSON.stringify(value)}: expected a text`);
  return value;
}

function readTexts(fields: Fields, name: string): readonly string[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string"))
    throw new Error(`${name}=${JSON.stringify(value)}: expected a list of texts`);
  return value;
}

function readNumber(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  if (typeof value !== "number") throw new Error(`${name}=${JSON.stringify(value)}: expected a number`);
  return value;
}

function readLabels(value: unknown): readonly RuleLabel[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`external_labels=${JSON.stringify(value)}: expected a list`);
  return value.map((item: unknown) => {
    const label = readFields(item, ["name", "value"]);
    return { name: readText(label, "name"), value: readText(label, "value") };
  });
}

function readFunctionName(value: unknown): string {
  if (value === undefined || value === null) return "";
  const filter = readFields(value, ["function_name"]).function_name;
  if (filter === undefined || filter === null) return "";
  const fields = readFields(filter, ["function_name", "metric_type"]);
  if (![0, "TOTAL"].includes((fields.metric_type ?? 0) as number | string)) {
    throw new Error(
      `stacktrace_filter with metric_type ${JSON.stringify(fields.metric_type)}: there is only 0, TOTAL`,
    );
  }
  return readText(fields, "function_name");
}
