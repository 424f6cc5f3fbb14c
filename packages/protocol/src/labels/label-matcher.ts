import { ProtocolError } from "../errors.ts";
import type { MatchCondition, MatchOperator } from "./match-condition.ts";
import { compilePattern } from "./pattern.ts";
import { quoteText } from "./quote.ts";

/** A condition that can be applied to values. */
export interface Matcher extends MatchCondition {
  /** Whether a label's value satisfies the condition; a missing label has the value "". */
  matches(value: string): boolean;
}

/**
 * Makes a matcher.
 *
 * @throws {@link ProtocolError} `SELECTOR_INVALID` for a regular expression that RE2 refuses, that is longer than
 * 1,024 bytes, or whose repetitions unfold too far.
 */
export function createMatcher(name: string, op: MatchOperator, value: string): Matcher {
  switch (op) {
    case "=":
      return { name, op, value, matches: (text) => text === value };
    case "!=":
      return { name, op, value, matches: (text) => text !== value };
    case "=~":
      return { name, op, value, matches: compile(name, value) };
    case "!~": {
      const matches = compile(name, value);
      return { name, op, value, matches: (text) => !matches(text) };
    }
  }
}

// How much of a refused expression an error repeats: enough to recognise it.
const MAX_SHOWN_LENGTH = 200;

function compile(name: string, pattern: string): (text: string) => boolean {
  const compiled = compilePattern(pattern);
  if (compiled.ok) return compiled.matches;
  const shown = quoteText(pattern.slice(0, MAX_SHOWN_LENGTH));
  throw new ProtocolError(`label ${quoteText(name)}: regular expression ${shown}: ${compiled.problem}`, {
    code: "SELECTOR_INVALID",
  });
}

/**
 * Whether every matcher holds.
 *
 * @param get - The value of a label, undefined where it is missing. Missing counts as "", so that `env!="prod"`,
 * `env=""` and `env=~".*"` hold for a series without `env`.
 */
export function matchLabels(
  matchers: readonly Matcher[],
  get: (name: string) => string | undefined,
): boolean {
  return matchers.every((matcher) => matcher.matches(get(matcher.name) ?? ""));
}
