import { decodeTime, ulid } from "ulid";
import { ReceiverError } from "../errors.ts";
import type { AdHocEntry } from "./adhoc-service.ts";

/** Most characters of a name: a file's name has 255, and the id's other parts take up to 37. */
const MAX_NAME_LENGTH = 200;

const ID = /^([0-7][0-9A-HJKMNP-TV-Z]{25})-(\d{1,9})-([\w.-]{1,200})$/;

/** A stored file, by what its id says. */
export interface AdHocFile extends AdHocEntry {
  readonly bytes: number;
}

/** The id of a new file: `<ulid>-<bytes>-<name>`, so that a list alone tells what there is and how much. */
export function createAdHocId(name: string, bytes: number, nowUnixMillis: number): string {
  return `${ulid(Math.max(0, Math.trunc(nowUnixMillis)))}-${bytes}-${name}`;
}

/** What an id says; undefined for one that {@link createAdHocId} did not give. */
export function parseAdHocId(id: string): AdHocFile | undefined {
  const [, time, bytes, name] = ID.exec(id) ?? [];
  if (time === undefined || bytes === undefined || name === undefined) return undefined;
  return { id, name, uploadedUnixMillis: decodeTime(time), bytes: Number(bytes) };
}

/**
 * The name of a file as it stands in an id: what is not `[a-zA-Z0-9_.-]` is `_`, as Pyroscope has it.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT when it is longer than {@link MAX_NAME_LENGTH}.
 */
export function toAdHocName(name: string): string {
  if (name === "") return "profile";
  if (name.length > MAX_NAME_LENGTH) {
    throw new ReceiverError(`name of a profile: ${name.length} characters, limit ${MAX_NAME_LENGTH}`, {
      code: "INVALID_ARGUMENT",
    });
  }
  return name.replaceAll(/[^\w.-]/gu, "_");
}

/**
 * Looks at an id from a client.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT, with Pyroscope's text, for characters that no id has; NOT_FOUND for
 * any other text that is no id.
 */
export function checkAdHocId(id: string): AdHocFile {
  if (!/^[\w.-]+$/.test(id)) {
    throw new ReceiverError(`id '${id}' is invalid: can only contain [a-zA-Z0-9_-.]`, {
      code: "INVALID_ARGUMENT",
    });
  }
  return parseAdHocId(id) ?? refuseUnknownId(id);
}

/** @throws {@link ReceiverError} NOT_FOUND. */
export function refuseUnknownId(id: string): never {
  throw new ReceiverError(`profile '${id}' is not stored`, { code: "NOT_FOUND" });
}
