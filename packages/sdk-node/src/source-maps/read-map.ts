import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FlattenMap, type TraceMap } from "@jridgewell/trace-mapping";

/** What a script file says of its sources. */
export type ScriptSources =
  /** It names no map: it is a source itself. */
  | { readonly kind: "none" }
  /** It names a map that cannot be read. */
  | { readonly kind: "missing"; readonly reason: string }
  | { readonly kind: "mapped"; readonly map: TraceMap; readonly code: string; readonly sizeBytes: number };

// A bundle with its map inlined may have some 30 MB; a file beyond this is no program of today.
const MAX_FILE_BYTES = 128 * 1024 * 1024;

/** The last one counts, as the specification has it (ECMA-426, section 11.1.2.1); older tools write `//@`. */
const COMMENT = /^[^\S\r\n]*\/\/[#@]\s*sourceMappingURL=(\S+)\s*$/gm;

/**
 * Reads a script and its source map: beside it, or inlined as a `data:` URL; plain or with sections.
 *
 * Nothing is fetched: a map on another machine counts as missing. Never throws.
 */
export function readScriptSources(scriptPath: string): ScriptSources {
  try {
    const code = readText(scriptPath);
    const url = findMapUrl(code);
    if (url === undefined) return { kind: "none" };
    const { text, baseUrl } = readMapText(url, scriptPath);
    // Servers may put a line in front that keeps browsers from running it.
    const json: unknown = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ""));
    const map = new FlattenMap(json as string, baseUrl);
    return { kind: "mapped", map, code, sizeBytes: code.length + text.length };
  } catch (error) {
    return { kind: "missing", reason: `${scriptPath}: ${String(error)}` };
  }
}

function findMapUrl(code: string): string | undefined {
  let url: string | undefined;
  for (const match of code.matchAll(COMMENT)) url = match[1];
  return url;
}

function readMapText(url: string, scriptPath: string): { readonly text: string; readonly baseUrl: string } {
  const inline = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (inline !== null) {
    const [, base64, data = ""] = inline;
    const text =
      base64 === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString("utf8");
    return { text, baseUrl: pathToFileURL(scriptPath).href };
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(url) && !url.startsWith("file:")) throw new Error(`${url} is not a file`);
  const path = url.startsWith("file:")
    ? fileURLToPath(url)
    : resolve(dirname(scriptPath), decodeURIComponent(url));
  return { text: readText(path), baseUrl: pathToFileURL(path).href };
}

/** Only of files: reading a pipe would never end. */
function readText(path: string): string {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error(`${path} is not a file`);
  if (stats.size > MAX_FILE_BYTES) {
    throw new Error(`${path} has ${stats.size} bytes: expected at most ${MAX_FILE_BYTES}`);
  }
  return readFileSync(path, "utf8");
}
