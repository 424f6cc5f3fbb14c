/** How a matcher compares. */
export type MatcherOperator = "=" | "!=" | "=~" | "!~";

/** One condition on a label, shown as a chip. */
export interface LabelFilter {
  readonly name: string;
  readonly operator: MatcherOperator;
  readonly value: string;
}

/** The operators with what they mean, in the order they are offered. */
export const OPERATORS: readonly { readonly operator: MatcherOperator; readonly label: string }[] = [
  { operator: "=", label: "= is" },
  { operator: "!=", label: "!= is not" },
  { operator: "=~", label: "=~ matches" },
  { operator: "!~", label: "!~ does not match" },
];

/** The label that names a service. */
export const SERVICE_LABEL = "service_name";

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
// One matcher at a time, from where the last one ended: name (plain or quoted), operator, quoted value.
const MATCHER = /\s*([A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*(,|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gs, (_match, letter: string) => ESCAPES[letter] ?? letter);
}

/** The selector of filters, in braces: `{service_name="api",env!="test"}`. */
export function formatSelector(filters: readonly LabelFilter[]): string {
  const parts = filters.map(({ name, operator, value }) => {
    const label = PLAIN_NAME.test(name) ? name : quote(name);
    return `${label}${operator}${quote(value)}`;
  });
  return `{${parts.join(",")}}`;
}

/**
 * The filters of a selector, so that chips can show them. The server has the last word on what a selector means:
 * this reads only what {@link formatSelector} and people write.
 *
 * @returns undefined when the text is not a selector.
 */
export function parseSelector(selector: string): readonly LabelFilter[] | undefined {
  const text = selector.trim();
  if (text === "") return [];
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  const body = text.slice(1, -1).trim();
  const filters: LabelFilter[] = [];
  MATCHER.lastIndex = 0;
  while (MATCHER.lastIndex < body.length) {
    const match = MATCHER.exec(body);
    if (match === null) return undefined;
    const [, name = "", operator = "=", value = ""] = match;
    filters.push({
      name: name.startsWith('"') ? unquote(name) : name,
      operator: operator as MatcherOperator, // MATCHER lists exactly these four
      value: unquote(value),
    });
  }
  return filters;
}

/** The service that filters select, or "" when they do not name exactly one. */
export function serviceOf(filters: readonly LabelFilter[]): string {
  const filter = filters.find(({ name, operator }) => name === SERVICE_LABEL && operator === "=");
  return filter?.value ?? "";
}

/** `filters` for another service: its own condition first, the others kept. "" is all services. */
export function withService(filters: readonly LabelFilter[], service: string): readonly LabelFilter[] {
  const others = filters.filter(({ name }) => name !== SERVICE_LABEL);
  return service === "" ? others : [{ name: SERVICE_LABEL, operator: "=", value: service }, ...others];
}

/** `filters` and one more; a condition that stands there already is not added twice. */
export function withFilter(filters: readonly LabelFilter[], added: LabelFilter): readonly LabelFilter[] {
  const isSame = (filter: LabelFilter): boolean =>
    filter.name === added.name && filter.operator === added.operator && filter.value === added.value;
  return filters.some(isSame) ? filters : [...filters, added];
}
