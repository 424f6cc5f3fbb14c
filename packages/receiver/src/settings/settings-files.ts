import { join } from "node:path";
import { compareUtf8 } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { encodeTenant } from "../store/filenames.ts";
import { type Fs, hasErrorCode } from "../store/fs.ts";
import { checkPlace, checkSetting } from "./check-setting.ts";
import type { SettingsService, StoredSetting } from "./settings-service.ts";

/** Version of the files; a newer one is not touched. */
const FORMAT = 1;
/** Options of {@link SettingsFiles}. */
export interface SettingsFilesOptions {
  readonly fs: Fs;
  /** Made with the first setting. */
  readonly directory: string;
}

/**
 * Settings of tenants, in one small file each: `<tenant>.json`, written beside its place, synced and renamed into it, so
 * that a crash leaves the old settings or the new ones.
 *
 * Files are read each time: no memory is held for tenants that someone made up.
 */
export class SettingsFiles implements SettingsService {
  readonly #fs: Fs;
  readonly #directory: string;
  /** The change under way: they come one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor({ fs, directory }: SettingsFilesOptions) {
    this.#fs = fs;
    this.#directory = directory;
  }

  async listSettings({ tenant }: { readonly tenant: string }): Promise<readonly StoredSetting[]> {
    return [...(await this.#read(tenant)).values()].sort((left, right) => compareUtf8(left.name, right.name));
  }

  async setSetting({
    tenant,
    setting,
  }: {
    readonly tenant: string;
    readonly setting: StoredSetting;
  }): Promise<StoredSetting> {
    checkSetting(setting);
    return await this.#change(async () => {
      const settings = await this.#read(tenant);
      const known = settings.get(setting.name);
      checkPlace(setting, known?.modifiedUnixMillis, settings.size);
      await this.#write(tenant, settings.set(setting.name, setting));
      return setting;
    });
  }

  async deleteSetting({ tenant, name }: { readonly tenant: string; readonly name: string }): Promise<void> {
    await this.#change(async () => {
      const settings = await this.#read(tenant);
      if (settings.delete(name)) await this.#write(tenant, settings);
    });
  }

  #change<Result>(work: () => Promise<Result>): Promise<Result> {
    const change = this.#lastChange.then(work, work);
    this.#lastChange = change.catch(() => undefined);
    return change;
  }

  async #read(tenant: string): Promise<Map<string, StoredSetting>> {
    const path = this.#path(tenant);
    let text: string;
    try {
      text = (await this.#fs.readFile(path)).toString("utf8");
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return new Map();
      throw unavailable("reading", path, error);
    }
    return new Map(parseFile(text, path).map((setting) => [setting.name, setting]));
  }

  async #write(tenant: string, settings: ReadonlyMap<string, StoredSetting>): Promise<void> {
    const path = this.#path(tenant);
    const draft = `${path}.tmp`;
    const text = JSON.stringify({ format: FORMAT, settings: [...settings.values()] });
    try {
      await this.#fs.makeDirectory(this.#directory);
      // One that a crash left behind.
      await this.#fs.remove(draft);
      await this.#fs.writeFile(draft, Buffer.from(text));
      await this.#fs.rename(draft, path);
      await this.#fs.syncDirectory(this.#directory);
    } catch (error) {
      throw unavailable("writing", path, error);
    }
  }

  #path(tenant: string): string {
    return join(this.#directory, `${encodeTenant(tenant)}.json`);
  }
}

function parseFile(text: string, path: string): readonly StoredSetting[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new ReceiverError(`reading ${path}: not JSON`, { code: "STORAGE_FORMAT", cause: error });
  }
  if (!isSettingsFile(file)) {
    throw new ReceiverError(`reading ${path}: not a file of settings in format ${FORMAT}`, {
      code: "STORAGE_FORMAT",
    });
  }
  return file.settings;
}

function isSettingsFile(file: unknown): file is { readonly settings: readonly StoredSetting[] } {
  if (typeof file !== "object" || file === null) return false;
  if (!("format" in file) || file.format !== FORMAT) return false;
  return "settings" in file && Array.isArray(file.settings) && file.settings.every(isSetting);
}

function isSetting(setting: Readonly<Record<string, unknown>> | null): boolean {
  if (typeof setting !== "object" || setting === null) return false;
  const { name, value, modifiedUnixMillis } = setting;
  return typeof name === "string" && typeof value === "string" && typeof modifiedUnixMillis === "number";
}

function unavailable(action: string, path: string, cause: unknown): ReceiverError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReceiverError(`${action} ${path}: ${reason}`, { code: "STORAGE_UNAVAILABLE", cause });
}
