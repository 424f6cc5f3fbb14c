import type { AppendFile, Fs } from "../fs.ts";
import { nodeFs } from "../node-fs.ts";

/** An operation of {@link Fs} or of one of its files that changes the disk. */
export type FsOperation =
  | "makeDirectory"
  | "writeFile"
  | "createFile"
  | "append"
  | "sync"
  | "truncate"
  | "close"
  | "rename"
  | "remove"
  | "syncDirectory"
  | "adopt"
  | "protect";

/** What happens to one operation: it works, it fails before it does anything, or after some of it was done. */
export type Verdict = "works" | "fails" | "tears";

/** The disk of this machine, with operations that fail when `judge` says so. Reading always works. */
export class FaultyFs implements Fs {
  /** Operations that change the disk, so far. */
  operationCount = 0;
  readonly #judge: (operation: FsOperation, path: string, count: number) => Verdict;
  readonly #code: string;

  constructor(judge: (operation: FsOperation, path: string, count: number) => Verdict, code = "EIO") {
    this.#judge = judge;
    this.#code = code;
  }

  readonly list: Fs["list"] = nodeFs.list;
  readonly readFile: Fs["readFile"] = nodeFs.readFile;
  readonly checksum: Fs["checksum"] = nodeFs.checksum;
  readonly readChunks: Fs["readChunks"] = nodeFs.readChunks;

  makeDirectory(path: string): Promise<void> {
    return this.#run("makeDirectory", path, () => nodeFs.makeDirectory(path));
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const half = bytes.subarray(0, bytes.length / 2);
    await this.#run(
      "writeFile",
      path,
      () => nodeFs.writeFile(path, bytes),
      () => nodeFs.writeFile(path, half),
    );
  }

  async createFile(path: string): Promise<AppendFile> {
    const file = await this.#run(
      "createFile",
      path,
      () => nodeFs.createFile(path),
      async () => (await nodeFs.createFile(path)).close(),
    );
    return {
      append: (buffers) =>
        this.#run(
          "append",
          path,
          () => file.append(buffers),
          () => file.append(halfOf(buffers)),
        ),
      sync: () => this.#run("sync", path, () => file.sync()),
      truncate: (length) => this.#run("truncate", path, () => file.truncate(length)),
      // Always closes, so that no test leaks a file.
      close: async () => {
        await file.close();
        await this.#run("close", path, async () => undefined);
      },
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run("rename", from, () => nodeFs.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#run("remove", path, () => nodeFs.remove(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#run("syncDirectory", path, () => nodeFs.syncDirectory(path));
  }

  adopt(path: string, files: readonly string[]): ReturnType<Fs["adopt"]> {
    return this.#run("adopt", path, () => nodeFs.adopt(path, files));
  }

  protect(path: string): Promise<void> {
    return this.#run("protect", path, () => nodeFs.protect(path));
  }

  /** @param tear - what is done of the operation when it tears; by default all of it. */
  async #run<T>(
    operation: FsOperation,
    path: string,
    act: () => Promise<T>,
    tear: () => Promise<unknown> = act,
  ): Promise<T> {
    this.operationCount++;
    const verdict = this.#judge(operation, path, this.operationCount);
    if (verdict === "works") return await act();
    if (verdict === "tears") await tear();
    throw Object.assign(new Error(`${this.#code}: injected into ${operation} of ${path}`), {
      code: this.#code,
    });
  }
}

function halfOf(buffers: readonly Uint8Array[]): readonly Uint8Array[] {
  const all = Buffer.concat(buffers);
  return [all.subarray(0, all.length / 2)];
}
