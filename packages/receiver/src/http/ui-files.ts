import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

/** A file of the web UI. */
export interface UiFile {
  readonly bytes: Buffer;
  /** Content type. */
  readonly type: string;
  readonly etag: string;
}

/** Types of what a build consists of. */
const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/**
 * Reads the built web UI, a few files of 200 kB together: who asks for them without end, and does not read the answers, costs
 * little then. By path, such as `/assets/index.js`; empty where it is not built.
 */
export async function readUiFiles(directory: string): Promise<ReadonlyMap<string, UiFile>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, UiFile>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const type = types[extname(path)] ?? "application/octet-stream";
    // Weak: it is the same whether the answer is compressed or not.
    const etag = `W/"${createHash("sha256").update(bytes).digest("base64url")}"`;
    files.set(path.slice(directory.length).replaceAll("\\", "/").replace(/^\/*/, "/"), { bytes, type, etag });
  }
  return files;
}
