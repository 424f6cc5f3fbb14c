import { ReceiverError } from "../../errors.ts";
import { parseBlockMeta } from "../block-meta.ts";
import type { BlockRow } from "../shared/block-row.ts";
import { END_MARK } from "../shared/segment-writer.ts";

const LENGTH_BYTES = 4;

/**
 * Reads which blocks a segment holds from the list at its end.
 *
 * @throws `ReceiverError` INTERNAL when there is no such list: the segment is damaged; STORAGE_FORMAT when a block is
 * of a newer format.
 */
export function readSegmentIndex(segment: string, bytes: Buffer): readonly BlockRow[] {
  const end = bytes.length - END_MARK.length;
  const isWhole = end >= LENGTH_BYTES && bytes.subarray(end).toString("latin1") === END_MARK;
  if (!isWhole) throw damaged("its end is not there");
  const listEnd = end - LENGTH_BYTES;
  const listStart = listEnd - bytes.readUInt32LE(listEnd);
  if (listStart < 0) throw damaged("its list of blocks is longer than itself");
  let list: readonly { readonly offset: number; readonly meta: unknown }[];
  try {
    list = JSON.parse(bytes.subarray(listStart, listEnd).toString("utf8"));
  } catch (cause) {
    throw damaged("its list of blocks is not JSON", cause);
  }
  return list.map(({ offset, meta }) => ({
    meta: parseBlockMeta(JSON.stringify(meta), `the list of ${segment}`),
    place: { segment, offset },
  }));
}

function damaged(reason: string, cause?: unknown): ReceiverError {
  return new ReceiverError(reason, { code: "INTERNAL", cause });
}
