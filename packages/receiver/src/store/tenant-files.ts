import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { decodeTenant, encodeTenant } from "./filenames.ts";
import { type Fs, hasErrorCode } from "./fs.ts";

const SUFFIX = ".json";

/** Options of {@link TenantFiles}. */
export interface TenantFilesOptions<Content> {
  readonly fs: Fs;
  /** Made with the first file. */
  readonly directory: string;
  /** What a file is of, for messages. */
  readonly noun: string;
  /** Version of the files; a newer one is not touched. */
  readonly format: number;
  /** Reads what {@link TenantFiles.write} has written; undefined: it is something else. */
  readonly parse: (content: unknown) => Content | undefined;
}

/**
 * One small file for each tenant: `<tenant>.json`, written beside its place, synced and renamed into it, so that a crash
 * leaves the old content or the new one.
 *
 * Files are read each time: no memory is held for tenants that someone made up.
 */
export class TenantFiles<Content extends object> {
  readonly #options: TenantFilesOptions<Content>;
  /** The change under way: they come one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: TenantFilesOptions<Content>) {
    this.#options = options;
  }

  /** Tenants that have a file. */
  async tenants(): Promise<readonly string[]> {
    const entries = await this.#options.fs.list(this.#options.directory);
    return entries
      .filter(({ name }) => name.endsWith(SUFFIX))
      .map(({ name }) => decodeTenant(name.slice(0, -SUFFIX.length)))
      .filter((tenant) => tenant !== undefined);
  }

  /**
   * @returns undefined when the tenant has no file.
   * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when it cannot be read, STORAGE_FORMAT when it is of another version.
   */
  async read(tenant: string): Promise<Content | undefined> {
    const path = this.#path(tenant);
    let text: string;
    try {
      text = (await this.#options.fs.readFile(path)).toString("utf8");
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw unavailable("reading", path, error);
    }
    return this.#parse(text, path);
  }

  /**
   * Puts what `change` makes of a tenant's content in its place. Changes come one after the other.
   *
   * @param change - Returns what is to be written, undefined where nothing changes, and what the caller gets.
   * @throws {@link ReceiverError} as {@link read}, and what `change` throws: nothing is written then.
   */
  change<Result>(
    tenant: string,
    change: (content: Content | undefined) => readonly [content: Content | undefined, result: Result],
  ): Promise<Result> {
    const work = async (): Promise<Result> => {
      const [content, result] = change(await this.read(tenant));
      if (content !== undefined) await this.#write(tenant, content);
      return result;
    };
    const turn = this.#lastChange.then(work, work);
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }

  async #write(tenant: string, content: Content): Promise<void> {
    const { fs, directory, format } = this.#options;
    const path = this.#path(tenant);
    const draft = `${path}.tmp`;
    try {
      await fs.makeDirectory(directory);
      // One that a crash left behind.
      await fs.remove(draft);
      await fs.writeFile(draft, Buffer.from(JSON.stringify({ format, ...content })));
      await fs.rename(draft, path);
      await fs.syncDirectory(directory);
    } catch (error) {
      throw unavailable("writing", path, error);
    }
  }

  #parse(text: string, path: string): Content {
    const { noun, format, parse } = this.#options;
    let file: unknown;
    try {
      file = JSON.parse(text);
    } catch (error) {
      throw new ReceiverError(`reading ${path}: not JSON`, { code: "STORAGE_FORMAT", cause: error });
    }
    const isOfFormat =
      typeof file === "object" && file !== null && "format" in file && file.format === format;
    const content = isOfFormat ? parse(file) : undefined;
    if (content !== undefined) return content;
    throw new ReceiverError(`reading ${path}: not a file of ${noun} in format ${format}`, {
      code: "STORAGE_FORMAT",
    });
  }

  #path(tenant: string): string {
    return join(this.#options.directory, `${encodeTenant(tenant)}${SUFFIX}`);
  }
}

function unavailable(action: string, path: string, cause: unknown): ReceiverError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReceiverError(`${action} ${path}: ${reason}`, { code: "STORAGE_UNAVAILABLE", cause });
}
