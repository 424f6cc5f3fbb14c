const NAME = String.raw`([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)`;

// A place before, at or behind the name of `export async function name<T>(`.
const FUNCTION_FROM_HERE = new RegExp(
  String.raw`^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*${NAME}`,
  "u",
);
const FUNCTION_UP_TO_HERE = /\bfunction\s*\*?\s*$/u;
const NAME_FROM_HERE = new RegExp(String.raw`^${NAME}\s*[<(]`, "u");
const FUNCTION_BEFORE = new RegExp(String.raw`\bfunction\s*\*?\s*${NAME}\s*(?:<[^()]*>)?\s*\(?$`, "u");
// The right side of `const name: Type = async (`.
const VARIABLE_BEFORE = new RegExp(
  String.raw`\b(?:const|let|var)\s+${NAME}\s*(?::[^=]*)?=\s*(?:async\s*)?\(?$`,
  "u",
);

/**
 * The name under which a line of source declares the function that begins at `column`, 0-based: for bundlers that make
 * `function name()` one without a name. Undefined where the line declares none, as for a callback.
 */
export function readDeclaredName(text: string, column: number): string | undefined {
  const before = text.slice(0, column);
  const rest = text.slice(column);
  const match =
    FUNCTION_FROM_HERE.exec(rest) ??
    (FUNCTION_UP_TO_HERE.test(before) ? NAME_FROM_HERE.exec(rest) : null) ??
    FUNCTION_BEFORE.exec(before) ??
    VARIABLE_BEFORE.exec(before);
  return match?.[1];
}
