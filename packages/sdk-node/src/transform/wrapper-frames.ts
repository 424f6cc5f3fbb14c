// Where this package's modules lie, as script names have it: `src` in tests, `dist` in programs.
const PACKAGE_URL: string = new URL("../", import.meta.url).href;

// The functions between a caller of tagWrapper and what it wraps. What else of this package takes time is to be seen.
const WRAPPERS: ReadonlySet<string> = new Set([
  "tagWrapper",
  "runWithLabels",
  "callHandler",
  "runTagged",
  "runHandler",
  "callMethod",
  "runInSpan",
  "run",
  "runActive",
  "observeCall",
  "awaitCall",
]);

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
  return WRAPPERS.has(name) && isOwnScript(scriptName);
}

/** True for the modules of this package. */
export function isOwnScript(scriptName: string): boolean {
  return scriptName.startsWith(PACKAGE_URL);
}
