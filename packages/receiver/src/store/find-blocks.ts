import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { Block } from "./block.ts";
import { parseBlockMeta } from "./block-meta.ts";
import { type DataPaths, META_FILE } from "./filenames.ts";
import { type Fs, hasErrorCode } from "./fs.ts";
import { listBlockPaths } from "./quarantine.ts";

/**
 * The blocks of a data directory that another process may have: those that are not replaced by others. What is deleted
 * meanwhile is passed over.
 *
 * @throws {@link ReceiverError} NOT_FOUND when there is no data directory, STORAGE_FORMAT when a block is of a newer format.
 */
export async function findBlocks(fs: Fs, paths: DataPaths): Promise<readonly Block[]> {
  await checkDataDirectory(fs, paths);
  const found: Block[] = [];
  for (const path of await listBlockPaths(fs, paths.blocks)) {
    try {
      const text = await fs.readFile(join(paths.blocks, path, META_FILE));
      found.push(new Block(parseBlockMeta(text.toString("utf8"), path), paths.blocks));
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
    }
  }
  const replaced = new Set(found.flatMap(({ meta }) => meta.blocks.map((id) => `${meta.tenant}/${id}`)));
  return found.filter(({ meta }) => !replaced.has(`${meta.tenant}/${meta.id}`));
}

/** @throws {@link ReceiverError} NOT_FOUND when a directory is none that a receiver has written. */
export async function checkDataDirectory(fs: Fs, paths: DataPaths): Promise<void> {
  if ((await fs.list(paths.root)).some(({ name }) => name === "blocks")) return;
  throw new ReceiverError(`read ${paths.root}: it is no data directory, it has no directory blocks`, {
    code: "NOT_FOUND",
  });
}
