import { isAbsolute } from "node:path";

/** Where a function or a line stands in the JavaScript that runs. */
export interface ScriptPosition {
  /** As V8 has it: a path or a `file:` URL. */
  readonly scriptName: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based; 0 for the first thing of the line. */
  readonly column: number;
  /** Of the function, or empty. */
  readonly name: string;
}

/** Where that stands in the source it was made from. */
export interface SourcePosition {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** The function's own name where a minifier gave it another. */
  readonly name: string | undefined;
}

/** What is known of source positions by now. */
export interface SourceLookup {
  find(position: ScriptPosition): SourcePosition | undefined;
}

/** True for scripts that are files: what the runtime brings or a program evaluates has no source map. */
export function isFileScript(scriptName: string): boolean {
  return scriptName.startsWith("file://") || isAbsolute(scriptName);
}
