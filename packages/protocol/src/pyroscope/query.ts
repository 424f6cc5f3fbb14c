import { ProtocolError } from "../errors.ts";
import type { Matcher } from "../labels/label-matcher.ts";
import { PROFILE_NAME_LABEL } from "../labels/label-names.ts";
import { parseSelector } from "../labels/parse-selector.ts";
import { type ProfileType, parseProfileType } from "../profile/profile-type.ts";

/** What a query of `/render` asks for. */
export interface ProfileQuery {
  readonly profileType: ProfileType;
  /** All other conditions. */
  readonly matchers: readonly Matcher[];
}

/**
 * Parses the query of `/render`: `<profile type id>{selector}`, or a selector that holds the id,
 * `{__name__="<profile type id>",…}`. The braces may be left out.
 *
 * @param parameter - Name of the URL parameter, for messages: `leftQuery` for one side of `/render-diff`.
 * @throws {@link ProtocolError} `QUERY_INVALID`, with Pyroscope's texts.
 *
 * Source: Pyroscope pkg/querier/http.go.
 */
export function parseQuery(text: string, parameter = "query"): ProfileQuery {
  if (text === "") throw new ProtocolError(`"${parameter}" is required`, { code: "QUERY_INVALID" });
  try {
    const { id, matchers } = splitQuery(text);
    if (id !== undefined) return { profileType: parseProfileType(id), matchers };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(`failed to parse "${parameter}": ${error.message}`, {
      code: "QUERY_INVALID",
      cause: error,
    });
  }
  throw new ProtocolError(`"${parameter}" must contain a profile-type selection`, { code: "QUERY_INVALID" });
}

// What can stand before the braces and is no part of a selector. Wider than a metric name, so that a profile type
// with a dot or a dash can be asked for as it is printed.
const LEADING_ID = /^\s*([^\s"'`{},=#]+)\s*(?=\{|$)/;

function splitQuery(text: string): {
  readonly id: string | undefined;
  readonly matchers: readonly Matcher[];
} {
  const leading = LEADING_ID.exec(text);
  const selector = leading === null ? text : text.slice(leading[0].length);
  const matchers = selector === "" ? [] : parseSelector(selector);
  const isName = ({ name, op }: Matcher) => name === PROFILE_NAME_LABEL && op === "=";
  const inside = matchers.find(isName)?.value;
  if (leading !== null && inside !== undefined) {
    throw new ProtocolError(`${PROFILE_NAME_LABEL} is given twice`, { code: "SELECTOR_INVALID" });
  }
  return { id: leading?.[1] ?? inside, matchers: matchers.filter((matcher) => !isName(matcher)) };
}
