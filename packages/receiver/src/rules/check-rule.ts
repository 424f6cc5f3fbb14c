import { type Matcher, ProtocolError, parseSelector, utf8Length } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { PROFILE_TYPE_LABEL } from "../store/select-internal-labels.ts";
import type { RuleRequest } from "./recording-rule.ts";

// Drilldown's rules have one or two of each. These leave room for rules that someone writes by hand.
const MAX_SELECTORS = 20;
const MAX_GROUP_LABELS = 20;
const MAX_EXTERNAL_LABELS = 20;
const MAX_NAME_BYTES = 256;
const MAX_TEXT_BYTES = 2048;
const METRIC_PREFIX = "profiles_recorded_";

/** Source: Pyroscope pkg/settings/recording. */
const ID = /^[a-zA-Z]+$/;
/** What every reader of Prometheus' text takes. */
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** What a metric's series cannot be told apart without: users' labels of these names are left out. */
const OWN_LABELS = ["__name__", "profiles_rule_id"];

/** What a rule looks for. */
export interface RuleSelection {
  /** Five parts. */
  readonly profileType: string;
  readonly matchers: readonly Matcher[];
}

/** Everything that is wrong with a rule. Texts about Pyroscope's own conditions are Pyroscope's. */
export function findRuleProblems(rule: RuleRequest): readonly string[] {
  return [
    ...idProblems(rule.id),
    ...metricNameProblems(rule.metricName),
    ...matcherProblems(rule.matchers),
    ...groupByProblems(rule.groupBy),
    ...externalLabelProblems(rule),
    ...tooLong("function_name", rule.functionName, MAX_TEXT_BYTES),
    ...(rule.generation < 0 || !Number.isSafeInteger(rule.generation)
      ? [`generation ${rule.generation} must be positive`]
      : []),
  ];
}

/** @throws {@link ReceiverError} INVALID_ARGUMENT that names everything that is wrong with a rule, a line each. */
export function checkRule(rule: RuleRequest): void {
  const problems = findRuleProblems(rule);
  if (problems.length > 0) {
    throw new ReceiverError(`invalid request: ${problems.join("\n")}`, { code: "INVALID_ARGUMENT" });
  }
}

/** @throws `ProtocolError` SELECTOR_INVALID, {@link ReceiverError} INVALID_ARGUMENT without a profile type. */
export function parseRuleSelection(selectors: readonly string[]): RuleSelection {
  const matchers = selectors.flatMap((selector) => parseSelector(selector));
  const ofType = matchers.filter(({ name }) => name === PROFILE_TYPE_LABEL);
  const [first] = ofType;
  if (first === undefined) throw invalid(`no ${PROFILE_TYPE_LABEL} matcher present`);
  if (ofType.some(({ op }) => op !== "=")) throw invalid(`${PROFILE_TYPE_LABEL} matcher is not an equality`);
  if (ofType.length > 1) throw invalid(`${ofType.length} ${PROFILE_TYPE_LABEL} matchers, limit 1`);
  return { profileType: first.value, matchers };
}

/** The profile type of a stored rule. */
export function profileTypeOf(selectors: readonly string[]): string {
  return parseRuleSelection(selectors).profileType;
}

/** Whether a label of a rule is shown, not replaced by one of the metric's own. */
export function isShownLabel(name: string): boolean {
  return !OWN_LABELS.includes(name);
}

function idProblems(id: string): readonly string[] {
  if (!ID.test(id)) return [`id ${JSON.stringify(id)} must match ${ID.source}`];
  return tooLong("id", id, MAX_NAME_BYTES);
}

function metricNameProblems(name: string): readonly string[] {
  if (name === "") return ["metric_name is required"];
  const quoted = `metric_name ${JSON.stringify(name)} is invalid`;
  if (!METRIC_NAME.test(name)) return [`${quoted}: invalid metric name: ${name}`];
  if (!name.startsWith(METRIC_PREFIX)) return [`${quoted}: metric name must start with ${METRIC_PREFIX}`];
  return tooLong("metric_name", name, MAX_NAME_BYTES);
}

function matcherProblems(selectors: readonly string[]): readonly string[] {
  if (selectors.length > MAX_SELECTORS) return [`${selectors.length} matchers, limit ${MAX_SELECTORS}`];
  try {
    parseRuleSelection(selectors);
    return [];
  } catch (error) {
    if (error instanceof ReceiverError) return [error.message];
    if (error instanceof ProtocolError) return [`matchers: ${error.message}`];
    throw error;
  }
}

function groupByProblems(names: readonly string[]): readonly string[] {
  if (names.length > MAX_GROUP_LABELS) return [`${names.length} group_by labels, limit ${MAX_GROUP_LABELS}`];
  return names.flatMap((name) => [
    ...labelNameProblems(`group_by label ${JSON.stringify(name)}`, name),
    ...tooLong("group_by label", name, MAX_NAME_BYTES),
  ]);
}

function externalLabelProblems({ externalLabels }: RuleRequest): readonly string[] {
  if (externalLabels.length > MAX_EXTERNAL_LABELS) {
    return [`${externalLabels.length} external_labels, limit ${MAX_EXTERNAL_LABELS}`];
  }
  return externalLabels.flatMap(({ name, value }) => [
    ...labelNameProblems(`external_labels name ${JSON.stringify(name)}`, name),
    ...tooLong("external_labels name", name, MAX_NAME_BYTES),
    ...tooLong(`external_labels value of ${JSON.stringify(name)}`, value, MAX_TEXT_BYTES),
  ]);
}

function labelNameProblems(subject: string, name: string): readonly string[] {
  if (!LABEL_NAME.test(name)) return [`${subject} must match ${LABEL_NAME.source}`];
  if (name.startsWith("__") && isShownLabel(name))
    return [`${subject}: Prometheus keeps names with __ to itself`];
  return [];
}

function tooLong(subject: string, text: string, limit: number): readonly string[] {
  const bytes = utf8Length(text);
  return bytes > limit ? [`${subject}: ${bytes} bytes, limit ${limit}`] : [];
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
