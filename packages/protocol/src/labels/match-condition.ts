import { isClassicLabelName } from "./label-names.ts";
import { quoteText } from "./quote.ts";

/** How a condition compares: equal, not equal, matches and does not match a regular expression. */
export type MatchOperator = "=" | "!=" | "=~" | "!~";

/** One condition of a selector as it is written: `env=~"p.*"`. */
export interface MatchCondition {
  readonly name: string;
  readonly op: MatchOperator;
  /** The text to compare with, or a regular expression in RE2's syntax, anchored at both ends. */
  readonly value: string;
}

/** Prints conditions, or matchers, as a selector that `parseSelector` reads back: `{env="prod",pod=~"a.*"}`. */
export function formatSelector(conditions: readonly MatchCondition[]): string {
  const printed = conditions.map(({ name, op, value }) => {
    const printedName = isClassicLabelName(name) ? name : quoteText(name);
    return `${printedName}${op}${quoteText(value)}`;
  });
  return `{${printed.join(",")}}`;
}
