import { dirname, join } from "node:path";
import { ulid } from "ulid";
import { ReceiverError } from "../errors.ts";
import type { BlobRange, Blobs } from "./blobs.ts";
import { type FileSum, type Fs, hasErrorCode, writeChunks } from "./fs.ts";

/** Where objects are written before they get their name. */
const DRAFTS = ".drafts";

/** Objects as files below a directory that outlives this machine, or that several machines see, such as one of NFS. */
export class DirectoryBlobs implements Blobs {
  readonly name: string;
  readonly #fs: Fs;
  readonly #root: string;

  constructor(fs: Fs, root: string) {
    this.name = root;
    this.#fs = fs;
    this.#root = root;
  }

  async list(prefix: string): Promise<readonly string[]> {
    const keys: string[] = [];
    const directory = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    await attempt(`list ${this.#path(prefix)}`, () => this.#walk(directory, keys));
    return keys.filter((key) => key.startsWith(prefix)).sort();
  }

  async read(key: string): Promise<Buffer | undefined> {
    return await attempt(`read ${this.#path(key)}`, () =>
      orUndefined(() => this.#fs.readFile(this.#path(key))),
    );
  }

  async download(key: string, path: string, range?: BlobRange): Promise<boolean> {
    return await attempt(`read ${this.#path(key)}`, async () => {
      if ((await this.#sumOf(key)) === undefined) return false;
      await writeChunks(this.#fs, path, this.#fs.readChunks(this.#path(key), range));
      return true;
    });
  }

  async upload(path: string, key: string): Promise<void> {
    const target = this.#path(key);
    await attempt(`write ${target}`, async () => {
      const there = await this.#sumOf(key);
      if (there !== undefined) return await this.#checkSame(path, target, there);
      const draft = join(this.#root, DRAFTS, ulid());
      await this.#fs.makeDirectory(dirname(draft));
      try {
        await writeChunks(this.#fs, draft, this.#fs.readChunks(path));
        await this.#fs.makeDirectory(dirname(target));
        await this.#fs.rename(draft, target);
      } catch (error) {
        // A disk that is full stays full of drafts otherwise.
        await this.#fs.remove(draft).catch(() => undefined);
        throw error;
      }
      await this.#fs.syncDirectory(dirname(target));
    });
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await attempt(`delete ${this.#path(key)}`, () => this.#fs.remove(this.#path(key)));
    }
  }

  close(): void {}

  async #walk(directory: string, keys: string[]): Promise<void> {
    for (const { name, isDirectory } of await this.#fs.list(this.#path(directory))) {
      const key = directory + name;
      if (key === DRAFTS) continue;
      if (isDirectory) await this.#walk(`${key}/`, keys);
      else keys.push(key);
    }
  }

  async #checkSame(path: string, target: string, there: FileSum): Promise<void> {
    const { bytes, crc32 } = await this.#fs.checksum(path);
    if (there.bytes === bytes && there.crc32 === crc32) return;
    throw new ReceiverError(`write ${target}: there is a file that is not these ${bytes} bytes`, {
      code: "CONFLICT",
    });
  }

  async #sumOf(key: string): Promise<FileSum | undefined> {
    return await orUndefined(() => this.#fs.checksum(this.#path(key)));
  }

  #path(key: string): string {
    return join(this.#root, key);
  }
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT") || hasErrorCode(error, "EISDIR")) return undefined;
    throw error;
  }
}

async function attempt<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof ReceiverError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ReceiverError(`${what}: ${reason}`, { code: "STORAGE_UNAVAILABLE", cause });
  }
}
