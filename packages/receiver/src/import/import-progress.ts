import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Fs } from "../store/fs.ts";
import { hasErrorCode } from "../store/fs.ts";

const DIRECTORY = "imports";

/** What an import is: another one of these has days of its own. */
export interface ImportKey {
  readonly url: string;
  readonly fromTenant: string;
  readonly tenant: string;
  readonly stepMs: number;
}

/** Which days of an import are done, in a small file of the data directory. Lost, the days are read once more and count once. */
export class ImportProgress {
  readonly #fs: Fs;
  readonly #directory: string;
  readonly #path: string;
  readonly #key: ImportKey;
  readonly #days: Set<string>;

  private constructor(fs: Fs, directory: string, path: string, key: ImportKey, days: Set<string>) {
    this.#fs = fs;
    this.#directory = directory;
    this.#path = path;
    this.#key = key;
    this.#days = days;
  }

  /** Reads what earlier runs of the same import have done. */
  static async read(fs: Fs, storagePath: string, key: ImportKey): Promise<ImportProgress> {
    const directory = join(storagePath, DIRECTORY);
    const name = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
    const path = join(directory, `${name}.json`);
    return new ImportProgress(fs, directory, path, key, await readDays(fs, path));
  }

  isDone(day: string): boolean {
    return this.#days.has(day);
  }

  /** Notes a day whose profiles are durable. */
  async finish(day: string): Promise<void> {
    this.#days.add(day);
    await this.#fs.makeDirectory(this.#directory);
    const text = `${JSON.stringify({ ...this.#key, days: [...this.#days].sort() }, undefined, 2)}\n`;
    const next = `${this.#path}.next`;
    await this.#fs.remove(next);
    await this.#fs.writeFile(next, Buffer.from(text));
    await this.#fs.rename(next, this.#path);
    await this.#fs.syncDirectory(this.#directory);
  }
}

async function readDays(fs: Fs, path: string): Promise<Set<string>> {
  try {
    const { days } = JSON.parse((await fs.readFile(path)).toString("utf8")) as { readonly days?: unknown };
    return new Set(Array.isArray(days) ? days.filter((day) => typeof day === "string") : []);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT") || error instanceof SyntaxError) return new Set();
    throw error;
  }
}
