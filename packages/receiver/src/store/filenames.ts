import { join } from "node:path";
import { ulid } from "ulid";

/** Written last into a block: its presence makes the directory a block. */
export const META_FILE = "meta.json";

/** Beside `meta.json`: the bucket has the whole block, so that its other files may be missing here. */
export const SHIPPED_FILE = "shipped";

const SEGMENT_SUFFIX = ".wal";
// The directory of the tenant without a name; a percent sign alone encodes nothing else.
const EMPTY_TENANT = "%";

/** The directories and files of one data directory. */
export interface DataPaths {
  readonly root: string;
  /** Cache of what lies below `blocks`, and the lock on the directory. */
  readonly catalog: string;
  readonly blocks: string;
  readonly wal: string;
  /** Blocks that are being written. Emptied at start. */
  readonly building: string;
  /** What DuckDB cannot hold in memory. Emptied at start. */
  readonly spill: string;
  /** What web pages keep on the server, by tenant. */
  readonly settings: string;
  /** Recording rules by tenant, and what they have summed. */
  readonly rules: string;
  readonly recorded: string;
  /** Profile files that someone uploaded to look at, by tenant. */
  readonly adHoc: string;
  /** The one of them that is being written. */
  readonly adHocDrafts: string;
  /** Paths of blocks that are deleted here and not yet in the bucket, in a file each. */
  readonly removals: string;
  /** Name of the bucket whose blocks are all known here. */
  readonly bucket: string;
  /** Applications that were deleted and are not yet out of every block. */
  readonly deletions: string;
  /** What was damaged, for someone to look at; never deleted by us. */
  readonly quarantine: string;
}

/** Every path of the data directory `root`. */
export function dataPaths(root: string): DataPaths {
  return {
    root,
    catalog: join(root, "catalog.duckdb"),
    blocks: join(root, "blocks"),
    wal: join(root, "wal"),
    building: join(root, "tmp", "blocks"),
    spill: join(root, "tmp", "spill"),
    settings: join(root, "settings"),
    rules: join(root, "rules"),
    recorded: join(root, "recorded"),
    adHoc: join(root, "adhoc"),
    adHocDrafts: join(root, "tmp", "adhoc"),
    removals: join(root, "removals"),
    bucket: join(root, "bucket"),
    deletions: join(root, "deletions.json"),
    quarantine: join(root, "quarantine"),
  };
}

/**
 * A tenant as the name of a directory: everything but `[a-z0-9_-]` is percent-encoded, upper case too, since some
 * file systems do not tell `A` from `a`, and `*` must never be a pattern.
 */
export function encodeTenant(tenant: string): string {
  if (tenant === "") return EMPTY_TENANT;
  let encoded = "";
  for (const byte of Buffer.from(tenant, "utf8")) {
    const character = String.fromCharCode(byte);
    encoded += /[a-z0-9_-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** The tenant of a directory's name, or undefined where the name is not one that {@link encodeTenant} gives. */
export function decodeTenant(name: string): string | undefined {
  if (name === EMPTY_TENANT) return "";
  const bytes = Buffer.from(
    name.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    "latin1",
  );
  const tenant = bytes.toString("utf8");
  return encodeTenant(tenant) === name ? tenant : undefined;
}

/** Where a block lies below {@link DataPaths.blocks}: `<tenant>/<level>/<day>/<id>`; the day is that of its earliest sample. */
export function blockPath(tenant: string, level: string, minUnixNanos: bigint, id: string): string {
  return join(encodeTenant(tenant), level, formatDay(minUnixNanos), id);
}

const NANOS_PER_MILLI = 1_000_000n;
const MILLIS_PER_DAY = 86_400_000;

function formatDay(unixNanos: bigint): string {
  // The days of int64 nanoseconds, 1677 to 2262, are all among those of a Date.
  const day = Math.floor(Number(unixNanos / NANOS_PER_MILLI) / MILLIS_PER_DAY);
  return new Date(day * MILLIS_PER_DAY).toISOString().slice(0, -"T00:00:00.000Z".length);
}

/** Name of a new block: a ULID. */
export function createBlockId(nowUnixMillis: number): string {
  return ulid(Math.max(0, Math.trunc(nowUnixMillis)));
}

/** Name of a new log segment. Never used again, so that a block can name it as its source for ever. */
export function createSegmentName(nowUnixMillis: number): string {
  return createBlockId(nowUnixMillis) + SEGMENT_SUFFIX;
}

/** Whether a name in the log's directory is a segment. */
export function isSegmentName(name: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}\.wal$/.test(name);
}

/** Whether a name in a day's directory is a block. */
export function isBlockId(name: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name);
}
