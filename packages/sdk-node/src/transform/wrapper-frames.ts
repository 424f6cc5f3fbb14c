import { MODULES_URL } from "../own-files.ts";

// The functions between a caller of tagWrapper and what it wraps. What else of this package takes time is to be seen.
const WRAPPERS: ReadonlySet<string> = new Set([
  "tagWrapper",
  "runWithLabels",
  "callHandler",
  "runTagged",
  "runHandler",
  "callMethod",
  "runInSpan",
  "runWithin",
  "callWithin",
  "run",
  "runActive",
  "observeCall",
  "awaitCall",
  // Middleware, through which every request goes.
  "labelRequest",
]);

// The same between a caller of OpenTelemetry's `context.with` and the context manager, in a package of their own.
const SPAN_WRAPPERS: ReadonlySet<string> = new Set(["runInContext", "runInSpanOf", "callTarget"]);
const SPAN_PACKAGE = "/otel-span-profiles/";

/**
 * True for the frames that wrapping adds to every stack below it: they say nothing about the program, and would
 * divide a function's samples by whether its caller wraps.
 */
export function isWrapperFrame({
  name,
  scriptName,
}: {
  readonly name: string;
  readonly scriptName: string;
}): boolean {
  if (WRAPPERS.has(name)) return isOwnScript(scriptName);
  return SPAN_WRAPPERS.has(name) && scriptName.includes(SPAN_PACKAGE);
}

/** True for the modules of this package, where they are not bundled with the program's. */
export function isOwnScript(scriptName: string): boolean {
  return MODULES_URL !== undefined && scriptName.startsWith(MODULES_URL);
}
