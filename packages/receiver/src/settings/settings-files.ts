import { compareUtf8 } from "@pyroscope-ts/protocol";
import type { Fs } from "../store/fs.ts";
import { TenantFiles } from "../store/tenant-files.ts";
import { checkPlace, checkSetting } from "./check-setting.ts";
import type { SettingsService, StoredSetting } from "./settings-service.ts";

/** Options of {@link SettingsFiles}. */
export interface SettingsFilesOptions {
  readonly fs: Fs;
  /** Made with the first setting. */
  readonly directory: string;
}

/** What a tenant's file holds. */
interface SettingsFile {
  readonly settings: readonly StoredSetting[];
}

/** Settings of tenants, in one small file each. */
export class SettingsFiles implements SettingsService {
  readonly #files: TenantFiles<SettingsFile>;

  constructor({ fs, directory }: SettingsFilesOptions) {
    this.#files = new TenantFiles({ fs, directory, noun: "settings", format: 1, parse: parseSettings });
  }

  async listSettings({ tenant }: { readonly tenant: string }): Promise<readonly StoredSetting[]> {
    const { settings = [] } = (await this.#files.read(tenant)) ?? {};
    return settings.toSorted((left, right) => compareUtf8(left.name, right.name));
  }

  async setSetting({
    tenant,
    setting,
  }: {
    readonly tenant: string;
    readonly setting: StoredSetting;
  }): Promise<StoredSetting> {
    checkSetting(setting);
    return await this.#files.change(tenant, ({ settings } = { settings: [] }) => {
      const known = settings.find(({ name }) => name === setting.name);
      checkPlace(setting, known?.modifiedUnixMillis, settings.length);
      return [{ settings: [...settings.filter((other) => other !== known), setting] }, setting];
    });
  }

  async deleteSetting({ tenant, name }: { readonly tenant: string; readonly name: string }): Promise<void> {
    await this.#files.change(tenant, ({ settings } = { settings: [] }) => {
      const left = settings.filter((setting) => setting.name !== name);
      return [left.length === settings.length ? undefined : { settings: left }, undefined];
    });
  }
}

function parseSettings(file: unknown): SettingsFile | undefined {
  const { settings } = file as { readonly settings?: unknown };
  if (!Array.isArray(settings) || !settings.every(isSetting)) return undefined;
  return { settings };
}

function isSetting(setting: Readonly<Record<string, unknown>> | null): boolean {
  if (typeof setting !== "object" || setting === null) return false;
  const { name, value, modifiedUnixMillis } = setting;
  return typeof name === "string" && typeof value === "string" && typeof modifiedUnixMillis === "number";
}
