import { type BlockMeta, formatBlockMeta, parseBlockMeta } from "../block-meta.ts";
import type { PostgresRow, PostgresSession } from "./postgres.ts";

/** Where the files of a block lie in an object that holds those of several. */
export interface SegmentPlace {
  /** Key of the object. */
  readonly segment: string;
  /** Where the block's first file begins; the others follow in the order of `TABLE_NAMES`. */
  readonly offset: number;
}

/** A row of `pyroscope_blocks`. */
export interface BlockRow {
  readonly meta: BlockMeta;
  /** undefined: each file is an object. */
  readonly place: SegmentPlace | undefined;
}

/** Adds a block; one that is there already is the same one. */
export async function insertBlock(session: PostgresSession, { meta, place }: BlockRow): Promise<void> {
  await session.query(
    `INSERT INTO pyroscope_blocks (id, tenant, min_unix_nanos, max_unix_nanos, meta, segment, segment_offset)
 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [
      meta.id,
      encodeText(meta.tenant),
      String(meta.minUnixNanos),
      String(meta.maxUnixNanos),
      formatBlockMeta(meta),
      place?.segment ?? null,
      place?.offset ?? null,
    ],
  );
}

/** @throws `ReceiverError` STORAGE_FORMAT when the block is of a newer format than this program reads. */
export function parseBlockRow(row: PostgresRow): BlockRow {
  const { id, meta, segment, segment_offset: offset } = row;
  return {
    meta: parseBlockMeta(String(meta), `block ${String(id)} of the catalog`),
    place: segment === null ? undefined : { segment: String(segment), offset: Number(offset) },
  };
}

/** A name of a tenant or service as PostgreSQL's text can hold it: without NUL. */
export function encodeText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\0", "%00");
}

/** The inverse of {@link encodeText}. */
export function decodeText(text: string): string {
  return text.replaceAll("%00", "\0").replaceAll("%25", "%");
}
