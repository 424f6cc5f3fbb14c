import type { SqlValue } from "./database.ts";

/** A piece of SQL with the values of its `?`, in order. */
export interface SqlFragment {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * SQL as a template: a fragment is spliced in, anything else becomes a parameter, so that no value of a request is
 * ever part of the text.
 *
 *     sql`SELECT ${column} FROM t WHERE service = ${service}`
 */
export function sql(
  strings: TemplateStringsArray,
  ...parts: readonly (SqlFragment | SqlValue)[]
): SqlFragment {
  let text = strings[0] ?? "";
  const parameters: SqlValue[] = [];
  parts.forEach((part, index) => {
    if (isFragment(part)) {
      text += part.text;
      parameters.push(...part.parameters);
    } else {
      text += "?";
      parameters.push(part);
    }
    text += strings[index + 1] ?? "";
  });
  return { text, parameters };
}

/** Text of our own as a fragment: a table term, a column name. Never anything that came from a request. */
export function rawSql(text: string): SqlFragment {
  return { text, parameters: [] };
}

/** Fragments one after the other, `separator` between them. */
export function joinSql(fragments: readonly SqlFragment[], separator: string): SqlFragment {
  return {
    text: fragments.map((fragment) => fragment.text).join(separator),
    parameters: fragments.flatMap((fragment) => fragment.parameters),
  };
}

/** All conditions at once; TRUE for none. */
export function allOf(conditions: readonly SqlFragment[]): SqlFragment {
  return conditions.length === 0 ? rawSql("TRUE") : joinSql(conditions, " AND ");
}

/**
 * `column IN (ids)` as a semi-join over one text parameter.
 *
 * A list of thousands of literals or parameters costs over 100 ms of planning; a temporary table would bind the
 * query to one connection. Splitting one text inside DuckDB costs about a millisecond for ten thousand ids, and the
 * join still prunes row groups by the ids' range.
 */
export function inIds(column: SqlFragment, ids: BigUint64Array): SqlFragment {
  if (ids.length === 0) return rawSql("FALSE");
  return sql`${column} IN (SELECT CAST(unnest(string_split(${ids.join(",")}, ',')) AS UBIGINT))`;
}

/** {@link inIds} for UUIDs, which hold no comma. */
export function inUuids(column: SqlFragment, uuids: readonly string[]): SqlFragment {
  if (uuids.length === 0) return rawSql("FALSE");
  return sql`${column} IN (SELECT CAST(unnest(string_split(${uuids.join(",")}, ',')) AS UUID))`;
}

/** `column IN (texts)`, for a handful of texts: each is a parameter of its own, since texts may hold any separator. */
export function inTexts(column: SqlFragment, texts: readonly string[]): SqlFragment {
  if (texts.length === 0) return rawSql("FALSE");
  const places = texts.map((text) => sql`${text}`);
  return sql`${column} IN (${joinSql(places, ", ")})`;
}

// DuckDB refuses the largest int64 as a timestamp: it is its `infinity`, and its negative is `-infinity`.
const MAX_TIMESTAMP_NANOS = 2n ** 63n - 2n;
const MIN_TIMESTAMP_NANOS = -MAX_TIMESTAMP_NANOS;

/** A point in time, drawn into the range that TIMESTAMP_NS has (1677 to 2262). */
export function timestampSql(unixNanos: bigint): SqlFragment {
  const inRange =
    unixNanos > MAX_TIMESTAMP_NANOS
      ? MAX_TIMESTAMP_NANOS
      : unixNanos < MIN_TIMESTAMP_NANOS
        ? MIN_TIMESTAMP_NANOS
        : unixNanos;
  // Digits of a bigint, not a parameter: as a constant it prunes row groups and files.
  return rawSql(`make_timestamp_ns(${inRange})`);
}

function isFragment(part: SqlFragment | SqlValue): part is SqlFragment {
  return typeof part === "object" && part !== null && "text" in part && "parameters" in part;
}
