import { rawSql, type SqlFragment, sql } from "./select-sql.ts";

/** What clients call a function that has no name: V8's word. A program has hundreds of them. */
const ANONYMOUS = "(anonymous)";

// Node's own files are known by these names; the last part alone is often one of a program's files, too.
const NODE_FILE = "node:";

/**
 * The name that answers show for a function: its own, or `(anonymous) cart.js` for one that has none, so that unnamed
 * functions of different files are told apart. Neither its line nor its folder is part of that, so that a function is the
 * same one after an edit above it and on another machine.
 */
export function showFunction(name: string, file: string): string {
  if (name !== ANONYMOUS || file === "") return name;
  return `${ANONYMOUS} ${file.startsWith(NODE_FILE) ? file : file.slice(lastSlash(file) + 1)}`;
}

/** Whether a row of `frames` is of a function with this {@link showFunction | shown} name, or with this name of its own. */
export function isShownAs(shown: string): SqlFragment {
  const own = sql`function = ${shown}`;
  if (!shown.startsWith(`${ANONYMOUS} `)) return own;
  const file = shown.slice(ANONYMOUS.length + 1);
  const ends = sql`(file = ${file} OR ends_with(file, ${`/${file}`}) OR ends_with(file, ${`\\${file}`}))`;
  return sql`(${own} OR (function = ${rawSql(`'${ANONYMOUS}'`)} AND ${ends}))`;
}

function lastSlash(file: string): number {
  return Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
}
