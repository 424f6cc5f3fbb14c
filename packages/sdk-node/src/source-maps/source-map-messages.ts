import type { ScriptPosition, SourcePosition } from "./script-position.ts";

/** Asks for positions of one script. */
export interface SourceMapRequest {
  readonly id: number;
  readonly scriptPath: string;
  readonly positions: readonly Omit<ScriptPosition, "scriptName">[];
}

/** The answer to one request. */
export interface SourceMapAnswer {
  readonly id: number;
  /** Whether the script names a map, and that can be read. */
  readonly kind: "none" | "missing" | "mapped";
  /** Why not, when `missing`. */
  readonly reason: string | undefined;
  /** In the order of the request; empty unless `mapped`. */
  readonly positions: readonly (SourcePosition | undefined)[];
}
