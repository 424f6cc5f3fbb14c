/** A name with its value, both in the form that every server takes. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

// Names of ids. Servers keep those in columns, so they make no series and are no part of a label set.
export const TRACE_ID_LABEL = "trace_id";
export const SPAN_ID_LABEL = "span_id";

/** The label of the name of the span that was active. */
export const SPAN_NAME_LABEL = "span_name";

/** The value of a label beyond a limit on the number of different ones. */
export const OVERFLOW_VALUE = "__overflow__";

// Pyroscope's default limit on a label value (its max_label_value_length), in bytes of UTF-8.
const MAX_VALUE_BYTES = 2048;

// A UTF-16 unit takes at most three bytes of UTF-8, so values up to this length need no counting.
const SAFE_VALUE_LENGTH = Math.floor(MAX_VALUE_BYTES / 3);

// Pyroscope's limit is 1024; a name this long is a mistake, and names are compared often.
const MAX_NAME_LENGTH = 128;

/**
 * `name` as every server takes it: `[a-zA-Z_][a-zA-Z0-9_]*`, at most 128 characters, other characters replaced
 * by `_`. Undefined for an empty name and for names that begin with `__`, which servers keep for themselves.
 */
export function sanitizeLabelName(name: string): string | undefined {
  const replaced = name.slice(0, MAX_NAME_LENGTH).replace(/[^a-zA-Z0-9_]/g, "_");
  const sanitized = /^[0-9]/.test(replaced) ? `_${replaced}` : replaced;
  return sanitized === "" || sanitized.startsWith("__") ? undefined : sanitized;
}

/**
 * `value` as text of at most 2048 bytes of UTF-8. Undefined for what is no label value: nothing, an empty text
 * (which servers read as no label), an object, a symbol or a function.
 */
export function formatLabelValue(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value === "" ? undefined : truncate(value);
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return undefined;
  }
}

function truncate(value: string): string {
  if (value.length <= SAFE_VALUE_LENGTH || Buffer.byteLength(value) <= MAX_VALUE_BYTES) return value;
  let end = SAFE_VALUE_LENGTH;
  // Never cut a surrogate pair in two: half of one is not UTF-8.
  if (/[\ud800-\udbff]/.test(value.charAt(end - 1))) end--;
  return value.slice(0, end);
}

/** Labels in order of their names: the form in which label sets are compared. */
export function sortLabels(labels: Iterable<readonly [string, string]>): readonly Label[] {
  return Array.from(labels, ([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Labels from names and values, or undefined when one of them cannot be a label. A later name wins. */
export function toLabels(pairs: readonly (readonly [string, unknown])[]): readonly Label[] | undefined {
  const labels = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (value === undefined || value === null || value === "") continue;
    const sanitizedName = sanitizeLabelName(name);
    const text = formatLabelValue(value);
    if (sanitizedName === undefined || text === undefined) return undefined;
    labels.set(sanitizedName, text);
  }
  return sortLabels(labels);
}

/** True for the names of ids. */
export function isIdLabel(name: string): boolean {
  return name === SPAN_ID_LABEL || name === TRACE_ID_LABEL;
}
