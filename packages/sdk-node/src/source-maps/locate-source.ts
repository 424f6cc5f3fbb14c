import { fileURLToPath } from "node:url";
import {
  GREATEST_LOWER_BOUND,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  sourceContentFor,
  type TraceMap,
} from "@jridgewell/trace-mapping";
import { readDeclaredName } from "./declared-name.ts";
import type { ScriptPosition, SourcePosition } from "./script-position.ts";

// From a function's name to its parameters: `const name = async function (`. Minified code has less between them.
const MAX_NAME_DISTANCE = 200;

const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;

/**
 * The source of one position of a script.
 *
 * @param codeLines - the script's text, for the names that a minifier changed.
 */
export function locateSource(
  map: TraceMap,
  codeLines: readonly string[],
  { line, column, name }: Omit<ScriptPosition, "scriptName">,
): SourcePosition | undefined {
  const at =
    column > 0
      ? originalPositionFor(map, { line, column: column - 1, bias: GREATEST_LOWER_BOUND })
      : originalPositionFor(map, { line, column: 0, bias: LEAST_UPPER_BOUND });
  if (at.source === null) return undefined;
  const own =
    name === ""
      ? readDeclaredName(readLine(map, at.source, at.line), at.column)
      : findName(map, codeLines[line - 1] ?? "", { line, column, name });
  return { file: toFile(at.source), line: at.line, name: own };
}

/**
 * The name that a function has in its source.
 *
 * V8 says where its parameters begin, and a map says what stands there: the name of the first parameter in
 * `a=b=>c`, not the function's. So the name that V8 knows is looked for before that place.
 */
function findName(
  map: TraceMap,
  codeLine: string,
  { line, column, name }: Omit<ScriptPosition, "scriptName">,
): string | undefined {
  const start = findWordBefore(codeLine, name, column - 1);
  if (start === undefined) return undefined;
  const at = originalPositionFor(map, { line, column: start, bias: GREATEST_LOWER_BOUND });
  if (at.source === null) return undefined;
  return at.name ?? readIdentifier(readLine(map, at.source, at.line), at.column);
}

function findWordBefore(codeLine: string, word: string, column: number): number | undefined {
  const isWordPart = (index: number): boolean => /[\p{ID_Continue}$]/u.test(codeLine.charAt(index));
  for (
    let start = codeLine.lastIndexOf(word, column);
    start >= 0 && column - start < MAX_NAME_DISTANCE;
    start = start === 0 ? -1 : codeLine.lastIndexOf(word, start - 1)
  ) {
    // At the place itself stands a parameter or a bracket.
    if (start < column && !isWordPart(start - 1) && !isWordPart(start + word.length)) return start;
  }
  return undefined;
}

function readLine(map: TraceMap, source: string, line: number): string {
  return sourceContentFor(map, source)?.split("\n", line)[line - 1] ?? "";
}

function readIdentifier(text: string, column: number): string | undefined {
  IDENTIFIER.lastIndex = column;
  return IDENTIFIER.exec(text)?.[0];
}

function toFile(source: string): string {
  if (!source.startsWith("file://")) return source;
  try {
    return fileURLToPath(source);
  } catch {
    return source;
  }
}
