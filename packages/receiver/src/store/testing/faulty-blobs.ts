import { ReceiverError } from "../../errors.ts";
import type { BlobRange, Blobs } from "../blobs.ts";

/** A call of {@link Blobs} that goes to the place itself. */
export type BlobOperation = "list" | "read" | "download" | "upload" | "remove";

/** Blobs that a test can take away, and that remember what was asked of them. */
export class FaultyBlobs implements Blobs {
  readonly name: string;
  /** Calls that worked, such as `upload blocks/…`. */
  readonly calls: string[] = [];
  isDown = false;
  /** Called before each call; throws to fail it. */
  onCall: (operation: BlobOperation, key: string) => void | Promise<void> = () => undefined;
  readonly #blobs: Blobs;

  constructor(blobs: Blobs) {
    this.name = blobs.name;
    this.#blobs = blobs;
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#run("list", prefix, () => this.#blobs.list(prefix));
  }

  read(key: string): Promise<Buffer | undefined> {
    return this.#run("read", key, () => this.#blobs.read(key));
  }

  download(key: string, path: string, range?: BlobRange): Promise<boolean> {
    return this.#run("download", key, () => this.#blobs.download(key, path, range));
  }

  upload(path: string, key: string): Promise<void> {
    return this.#run("upload", key, () => this.#blobs.upload(path, key));
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#run("remove", key, () => this.#blobs.remove([key]));
  }

  close(): void {}

  async #run<T>(operation: BlobOperation, key: string, act: () => Promise<T>): Promise<T> {
    await this.onCall(operation, key);
    if (this.isDown) {
      throw new ReceiverError(`${operation} ${key}: the bucket is down`, { code: "STORAGE_UNAVAILABLE" });
    }
    const result = await act();
    this.calls.push(`${operation} ${key}`);
    return result;
  }
}
