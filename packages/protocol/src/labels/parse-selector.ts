import { createMatcher, type Matcher } from "./label-matcher.ts";
import { inSelector, parseConditions } from "./parse-conditions.ts";

/**
 * Parses a selector in Prometheus' syntax: `{a="b",c!="d",e=~"f.*",g!~"h"}`.
 *
 * Values stand in double quotes, single quotes (both with Go's escapes) or backticks; names other than
 * `[A-Za-z_][A-Za-z0-9_]*` in quotes: `{"otel.scope.name"="x"}`. A name before the braces, or a quoted text alone
 * inside, is the value of `__name__`. Blanks and `#` comments may stand between tokens. `{}` matches everything.
 *
 * @throws {@link ProtocolError} `SELECTOR_INVALID` that names the position (1-based, in UTF-16 units) or the
 * regular expression that RE2 refuses; the empty text, which is no selector; more than 64 KiB or 100 matchers.
 */
export function parseSelector(text: string): readonly Matcher[] {
  const conditions = parseConditions(text);
  return inSelector(text, () => conditions.map(({ name, op, value }) => createMatcher(name, op, value)));
}
