import { compareUtf8 } from "@pyroscope-ts/protocol";
import { decodeText, encodeText } from "../store/shared/block-row.ts";
import type { Postgres } from "../store/shared/postgres.ts";
import { checkPlace, checkSetting } from "./check-setting.ts";
import type { SettingsService, StoredSetting } from "./settings-service.ts";

/** Settings of tenants in the catalog that the processes of a deployment share. */
export class SettingsRows implements SettingsService {
  readonly #postgres: Postgres;

  constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  async listSettings({ tenant }: { readonly tenant: string }): Promise<readonly StoredSetting[]> {
    const rows = await this.#postgres.query(
      "SELECT name, value, modified_unix_millis FROM pyroscope_settings WHERE tenant = $1",
      [encodeText(tenant)],
    );
    return rows
      .map(({ name, value, modified_unix_millis }) => ({
        name: decodeText(String(name)),
        value: decodeText(String(value)),
        modifiedUnixMillis: Number(modified_unix_millis),
      }))
      .sort((left, right) => compareUtf8(left.name, right.name));
  }

  async setSetting({
    tenant,
    setting,
  }: {
    readonly tenant: string;
    readonly setting: StoredSetting;
  }): Promise<StoredSetting> {
    checkSetting(setting);
    const { name, value, modifiedUnixMillis } = setting;
    return await this.#postgres.transaction(async (session) => {
      // Changes of one tenant come one after the other.
      await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [encodeText(tenant)]);
      const rows = await session.query(
        "SELECT name, modified_unix_millis FROM pyroscope_settings WHERE tenant = $1",
        [encodeText(tenant)],
      );
      const stored = rows.find((row) => row.name === encodeText(name));
      checkPlace(
        setting,
        stored === undefined ? undefined : Number(stored.modified_unix_millis),
        rows.length,
      );
      await session.query(
        `INSERT INTO pyroscope_settings VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, name)
 DO UPDATE SET value = excluded.value, modified_unix_millis = excluded.modified_unix_millis`,
        [encodeText(tenant), encodeText(name), encodeText(value), modifiedUnixMillis],
      );
      return setting;
    });
  }

  async deleteSetting({ tenant, name }: { readonly tenant: string; readonly name: string }): Promise<void> {
    await this.#postgres.query("DELETE FROM pyroscope_settings WHERE tenant = $1 AND name = $2", [
      encodeText(tenant),
      encodeText(name),
    ]);
  }
}
