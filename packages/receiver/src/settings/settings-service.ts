/** A named value that a web page keeps on the server, such as Profiles Drilldown's `pluginSettings`. */
export interface StoredSetting {
  readonly name: string;
  readonly value: string;
  readonly modifiedUnixMillis: number;
}

/** The settings of tenants, as the storage worker serves them. What resolved is on disk. */
export interface SettingsService {
  /** In byte order of their names. */
  listSettings(query: { readonly tenant: string }): Promise<readonly StoredSetting[]>;
  /**
   * Adds a setting, or replaces the one of that name.
   *
   * @throws `ReceiverError` CONFLICT when the stored one is newer, INVALID_ARGUMENT without a name or above a limit,
   * STORAGE_UNAVAILABLE when the disk does not take it.
   */
  setSetting(command: { readonly tenant: string; readonly setting: StoredSetting }): Promise<StoredSetting>;
  /** Removes a setting; fine when there is none. @throws as {@link setSetting}. */
  deleteSetting(command: { readonly tenant: string; readonly name: string }): Promise<void>;
}
