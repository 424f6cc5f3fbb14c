import { crc32 } from "node:zlib";
import { ReceiverError } from "../errors.ts";
import type { FileSum } from "./fs.ts";
import { isLevel, type Level } from "./level.ts";
import { FORMAT_VERSION, TABLE_NAMES, type TableName, tables } from "./schema.ts";

/** What `meta.json` says about a block. */
export interface BlockMeta {
  readonly version: number;
  /** ULID; the name of the block's directory. */
  readonly id: string;
  readonly tenant: string;
  readonly level: Level;
  /** When the block was written. */
  readonly createdUnixMillis: number;
  /** When the newest of what it holds was flushed from the head; merging and rolling up do not change it. */
  readonly receivedUnixMillis: number;
  /** How many merges its rows went through, one after the other; 0: it was flushed or rolled up. */
  readonly mergeCount: number;
  /** Of the profiles' times, both inclusive. */
  readonly minUnixNanos: bigint;
  readonly maxUnixNanos: bigint;
  /** Rows of each table. */
  readonly rows: Readonly<Record<TableName, number>>;
  /** Rows of samples that have the id of a span or a trace; undefined: the program that wrote the block did not say. */
  readonly spanRows?: number | undefined;
  readonly types: readonly string[];
  readonly services: readonly string[];
  /** Log segments that this block replaces, for its tenant. */
  readonly segments: readonly string[];
  /** Ids of blocks that this block replaces: they are dead, whether or not they are still there. */
  readonly blocks: readonly string[];
  /** Ids of blocks of the level before whose rows this block has too, summed up: a query reads either. */
  readonly rolledUp: readonly string[];
  /** Size and crc32 of each file but `meta.json`, by its path in the block. */
  readonly files: ReadonlyMap<string, FileSum>;
}

/** Bytes of all files that `meta.json` names. */
export function blockBytes(meta: BlockMeta): number {
  return [...meta.files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of the file of each table. */
export function tableBytes(meta: BlockMeta): Readonly<Record<TableName, number>> {
  const entries = TABLE_NAMES.map((name) => [name, meta.files.get(tables[name].file)?.bytes ?? 0]);
  return Object.fromEntries(entries) as Record<TableName, number>;
}

/** Prints `meta.json`: JSON whose last member is the crc32 of the rest, as it is printed without spaces. */
export function formatBlockMeta(meta: BlockMeta): string {
  const content = {
    version: meta.version,
    id: meta.id,
    tenant: meta.tenant,
    level: meta.level,
    createdUnixMillis: meta.createdUnixMillis,
    receivedUnixMillis: meta.receivedUnixMillis,
    mergeCount: meta.mergeCount,
    // A number of JSON cannot hold nanoseconds.
    minUnixNanos: String(meta.minUnixNanos),
    maxUnixNanos: String(meta.maxUnixNanos),
    rows: Object.fromEntries(TABLE_NAMES.map((table) => [table, meta.rows[table]])),
    // Left out where it is undefined.
    spanRows: meta.spanRows,
    types: meta.types,
    services: meta.services,
    sources: { segments: meta.segments, blocks: meta.blocks, rolledUp: meta.rolledUp },
    files: Object.fromEntries(meta.files),
  };
  return `${JSON.stringify({ ...content, crc32: crc32(JSON.stringify(content)) }, undefined, 2)}\n`;
}

/**
 * Reads `meta.json`.
 *
 * @throws {@link ReceiverError} STORAGE_FORMAT when it is of a newer version than this program reads, and
 * INTERNAL when it is damaged.
 */
export function parseBlockMeta(text: string, path: string): BlockMeta {
  const json = parseJson(text, path);
  if (typeof json.version === "number" && json.version > FORMAT_VERSION) {
    throw new ReceiverError(
      `read ${path}: format version ${json.version}, this program reads up to ${FORMAT_VERSION}; it is left as it is`,
      { code: "STORAGE_FORMAT" },
    );
  }
  const { crc32: sum, ...content } = json;
  if (sum !== crc32(JSON.stringify(content))) throw damaged(path, "its checksum does not hold");
  // The checksum says that we wrote this text; the checks below are for other programs that write blocks.
  return toBlockMeta(content, path);
}

function toBlockMeta(content: Readonly<Record<string, unknown>>, path: string): BlockMeta {
  const { rows, sources, files } = content;
  if (!isRecord(rows) || !isRecord(sources) || !isRecord(files))
    throw damaged(path, "rows, sources or files missing");
  const sums = new Map<string, FileSum>();
  for (const table of TABLE_NAMES) {
    const { file } = tables[table];
    const sum = files[file];
    if (!isRecord(sum)) throw damaged(path, `${file} is not among its files`);
    sums.set(file, { bytes: number(sum.bytes, path), crc32: number(sum.crc32, path) });
  }
  const version = number(content.version, path);
  const createdUnixMillis = number(content.createdUnixMillis, path);
  const blocks = texts(sources.blocks, path);
  // Version 1 had raw blocks only, and did not say how they came to be.
  const isFirst = version === 1;
  return {
    version,
    id: text(content.id, path),
    tenant: text(content.tenant, path),
    level: level(content.level, path),
    createdUnixMillis,
    receivedUnixMillis: isFirst ? createdUnixMillis : number(content.receivedUnixMillis, path),
    mergeCount: isFirst ? Math.min(1, blocks.length) : number(content.mergeCount, path),
    minUnixNanos: nanos(content.minUnixNanos, path),
    maxUnixNanos: nanos(content.maxUnixNanos, path),
    rows: Object.fromEntries(
      TABLE_NAMES.map((table) => [table, number(rows[table], path)]),
    ) as BlockMeta["rows"],
    spanRows: content.spanRows === undefined ? undefined : number(content.spanRows, path),
    types: texts(content.types, path),
    services: texts(content.services, path),
    segments: texts(sources.segments, path),
    blocks,
    rolledUp: isFirst ? [] : texts(sources.rolledUp, path),
    files: sums,
  };
}

function parseJson(text: string, path: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, "it is not JSON", cause);
  }
  if (!isRecord(json)) throw damaged(path, "it is not a JSON object");
  return json;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function number(value: unknown, path: string): number {
  if (typeof value === "number") return value;
  throw damaged(path, `${JSON.stringify(value)} stands where a number is expected`);
}

function text(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw damaged(path, `${JSON.stringify(value)} stands where a text is expected`);
}

function level(value: unknown, path: string): Level {
  if (typeof value === "string" && isLevel(value)) return value;
  throw damaged(path, `${JSON.stringify(value)} stands where a level is expected`);
}

function texts(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.map((item: unknown) => text(item, path));
  throw damaged(path, `${JSON.stringify(value)} stands where a list is expected`);
}

function nanos(value: unknown, path: string): bigint {
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return BigInt(value);
  throw damaged(path, `${JSON.stringify(value)} stands where nanoseconds are expected`);
}

function damaged(path: string, what: string, cause?: unknown): ReceiverError {
  return new ReceiverError(`read ${path}: ${what}`, { code: "INTERNAL", cause });
}
