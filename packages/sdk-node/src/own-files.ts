import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Undefined in a bundle of CommonJS modules, whatever its type says. In a variable, because bundlers follow
// `new URL(…, import.meta.url)` and would take the files of threads for assets.
const here: string | undefined = import.meta.url;

// In a bundle this is not the file that says so.
const own: string | undefined = here !== undefined && /\/own-files\.[jt]s$/.test(here) ? here : undefined;

// tsc rewrites the extension of imports, not of strings: files of this package have the extension that this one has.
const extension: string = own?.endsWith(".ts") === true ? "ts" : "js";

/**
 * A file of this package that is no part of its module graph: the entry of a thread or of a child process.
 *
 * @param path - below `src`, without an extension.
 * @throws where it is missing, as in a bundle.
 */
export function findOwnFile(path: string): { readonly url: URL; readonly isTypeScript: boolean } {
  const url = own === undefined ? undefined : new URL(`${path}.${extension}`, own);
  if (url === undefined || !existsSync(fileURLToPath(url))) {
    throw new Error(`the SDK is bundled without its file ${path}.${extension}`);
  }
  return { url, isTypeScript: extension === "ts" };
}

/** Where this package's modules lie, as script names have it (`src` in tests, `dist` in programs); undefined in a bundle. */
export const MODULES_URL: string | undefined = own === undefined ? undefined : new URL("./", own).href;

/** Resolves packages as this file does, and in a bundle as the program does. */
export function createOwnRequire(id: string): NodeJS.Require {
  // Not imported: webpack replaces calls of an imported createRequire by nothing.
  const { createRequire } = process.getBuiltinModule("node:module");
  const candidates = [here, process.argv[1]]
    .filter((from) => from !== undefined)
    .map((from) => createRequire(from));
  const found = candidates.find((requireFrom) => canResolve(requireFrom, id)) ?? candidates[0];
  if (found === undefined) throw new Error(`Cannot find module '${id}'`);
  return found;
}

function canResolve(requireFrom: NodeJS.Require, id: string): boolean {
  try {
    requireFrom.resolve(id);
    return true;
  } catch {
    return false;
  }
}
