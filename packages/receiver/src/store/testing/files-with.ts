import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Files below a directory whose bytes hold a text. */
export async function filesWith(directory: string, text: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(text)) found.push(path.slice(directory.length));
  }
  return found.toSorted();
}
