import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { Blobs } from "../store/blobs.ts";
import { encodeTenant } from "../store/filenames.ts";
import type { Fs } from "../store/fs.ts";
import { type AdHocFile, checkAdHocId, createAdHocId, parseAdHocId, refuseUnknownId } from "./adhoc-id.ts";

/** What one tenant may keep. The interface has no way to delete, so these leave room for years of looking at files. */
const MAX_FILE_COUNT = 500;
const MAX_TOTAL_BYTES = 512 * 1024 * 1024;

/** Options of {@link AdHocFiles}. */
export interface AdHocFilesOptions {
  readonly blobs: Blobs;
  /** What keys begin with: "" or a text that ends in `/`. */
  readonly prefix: string;
  /** Where the files are, for whoever is to delete some. */
  readonly place: string;
  readonly fs: Fs;
  /** Where a file is written before it is uploaded; nobody else's, and emptied. */
  readonly drafts: string;
  readonly maxFileCount?: number;
  readonly maxTotalBytes?: number;
}

/**
 * Uploaded files as objects that never change, `<prefix><tenant>/<id>`, byte for byte as they came.
 *
 * Objects are listed each time: no memory is held for tenants that someone made up. Several processes over one bucket
 * can pass a limit by what they upload at the same moment.
 */
export class AdHocFiles {
  readonly #options: AdHocFilesOptions;
  /** The upload under way: they come one after the other. */
  #lastUpload: Promise<unknown> = Promise.resolve();

  constructor(options: AdHocFilesOptions) {
    this.#options = options;
  }

  /** The newest first. */
  async list(tenant: string): Promise<readonly AdHocFile[]> {
    const directory = this.#key(tenant, "");
    const keys = await this.#options.blobs.list(directory);
    return keys
      .map((key) => parseAdHocId(key.slice(directory.length)))
      .filter((file) => file !== undefined)
      .toReversed();
  }

  /**
   * Keeps a file.
   *
   * @throws {@link ReceiverError} RESOURCE_EXHAUSTED when the tenant has too much: nothing that was acknowledged makes room.
   */
  async add(tenant: string, name: string, bytes: Uint8Array, nowUnixMillis: number): Promise<AdHocFile> {
    const file = parseAdHocId(createAdHocId(name, bytes.length, nowUnixMillis));
    if (file === undefined) {
      throw new ReceiverError(`storing a profile: no id for ${bytes.length} bytes`, { code: "INTERNAL" });
    }
    const upload = async (): Promise<AdHocFile> => {
      this.#checkRoom(await this.list(tenant), bytes.length);
      await this.#upload(this.#key(tenant, file.id), bytes);
      return file;
    };
    const added = this.#lastUpload.then(upload, upload);
    this.#lastUpload = added.catch(() => undefined);
    return await added;
  }

  /** @throws {@link ReceiverError} INVALID_ARGUMENT, NOT_FOUND; STORAGE_FORMAT for a file that was damaged. */
  async read(tenant: string, id: string): Promise<{ readonly file: AdHocFile; readonly bytes: Uint8Array }> {
    const file = checkAdHocId(id);
    const bytes = (await this.#options.blobs.read(this.#key(tenant, id))) ?? refuseUnknownId(id);
    if (bytes.length !== file.bytes) {
      throw new ReceiverError(
        `reading ${this.#key(tenant, id)}: it has ${bytes.length} bytes, not ${file.bytes}`,
        { code: "STORAGE_FORMAT" },
      );
    }
    return { file, bytes };
  }

  #checkRoom(files: readonly AdHocFile[], newBytes: number): void {
    const { maxFileCount = MAX_FILE_COUNT, maxTotalBytes = MAX_TOTAL_BYTES, place } = this.#options;
    const storedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const remedy = `whoever runs the server makes room by deleting files in ${place}`;
    if (files.length >= maxFileCount) {
      throw exhausted(`${files.length} profiles are stored, limit ${maxFileCount}: ${remedy}`);
    }
    if (storedBytes + newBytes > maxTotalBytes) {
      throw exhausted(
        `profiles of ${storedBytes} bytes are stored, ${newBytes} more are above the limit of ${maxTotalBytes}: ${remedy}`,
      );
    }
  }

  async #upload(key: string, bytes: Uint8Array): Promise<void> {
    const { fs, drafts, blobs } = this.#options;
    const draft = join(drafts, "upload");
    try {
      await fs.makeDirectory(drafts);
      // One that a crash left behind.
      await fs.remove(draft);
      await fs.writeFile(draft, bytes);
      await blobs.upload(draft, key);
      await fs.remove(draft);
    } catch (error) {
      if (error instanceof ReceiverError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ReceiverError(`writing ${draft}: ${reason}`, { code: "STORAGE_UNAVAILABLE", cause: error });
    }
  }

  #key(tenant: string, id: string): string {
    return `${this.#options.prefix}${encodeTenant(tenant)}/${id}`;
  }
}

function exhausted(message: string): ReceiverError {
  return new ReceiverError(message, { code: "RESOURCE_EXHAUSTED" });
}
