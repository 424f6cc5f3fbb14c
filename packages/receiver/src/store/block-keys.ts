import { META_FILE } from "./filenames.ts";
import { TABLE_NAMES, tables } from "./schema.ts";

/** Before the keys of all blocks. A bucket is laid out as a data directory is. */
export const BLOCK_KEYS = "blocks/";

/** Key of a file of a block. @param path - {@link Block.path}. */
export function blockKey(path: string, file: string): string {
  return `${BLOCK_KEYS}${path}/${file}`;
}

/** Keys of a block's files in the order in which they are deleted: the one that makes it a block goes first. */
export function blockKeys(path: string): readonly string[] {
  return [META_FILE, ...TABLE_NAMES.map((table) => tables[table].file)].map((file) => blockKey(path, file));
}
