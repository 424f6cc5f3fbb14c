import { utf8Length } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { StoredSetting } from "./settings-service.ts";

// Drilldown keeps one setting of a few hundred bytes. These leave room for a hundred pages like it.
const MAX_SETTING_COUNT = 100;
const MAX_NAME_BYTES = 256;
const MAX_VALUE_BYTES = 64 * 1024;

/** @throws {@link ReceiverError} INVALID_ARGUMENT when the setting has no name or is above a limit. */
export function checkSetting({ name, value, modifiedUnixMillis }: StoredSetting): void {
  if (name === "") throw invalid("setting without a name");
  const nameBytes = utf8Length(name);
  if (nameBytes > MAX_NAME_BYTES)
    throw invalid(`name of a setting: ${nameBytes} bytes, limit ${MAX_NAME_BYTES}`);
  const valueBytes = utf8Length(value);
  if (valueBytes > MAX_VALUE_BYTES) {
    throw invalid(`setting ${JSON.stringify(name)}: ${valueBytes} bytes, limit ${MAX_VALUE_BYTES}`);
  }
  if (!Number.isSafeInteger(modifiedUnixMillis) || modifiedUnixMillis < 0) {
    throw invalid(`setting ${JSON.stringify(name)}: ${modifiedUnixMillis} is not a time in milliseconds`);
  }
}

/**
 * Checks a setting against what is stored.
 *
 * @param storedUnixMillis - Time of the one of that name; undefined: there is none.
 * @param settingCount - How many the tenant has.
 * @throws {@link ReceiverError} CONFLICT when the stored one is newer, INVALID_ARGUMENT when there are too many.
 */
export function checkPlace(
  { name, modifiedUnixMillis }: StoredSetting,
  storedUnixMillis: number | undefined,
  settingCount: number,
): void {
  if (storedUnixMillis !== undefined && storedUnixMillis > modifiedUnixMillis) {
    throw new ReceiverError(
      `setting ${JSON.stringify(name)} of ${modifiedUnixMillis}: one of ${storedUnixMillis} is stored`,
      { code: "CONFLICT" },
    );
  }
  if (storedUnixMillis === undefined && settingCount >= MAX_SETTING_COUNT) {
    throw invalid(`adding setting ${JSON.stringify(name)}: limit ${MAX_SETTING_COUNT} settings`);
  }
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
