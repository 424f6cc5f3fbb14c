import { join } from "node:path";
import type { BlockPlace } from "./commit-block.ts";
import { hasErrorCode } from "./fs.ts";

/** Deletes a block's directory: first out of the way in one step, so that a crash leaves no half of it among the blocks. */
export async function discardBlock(
  { fs, paths, bucket }: Omit<BlockPlace, "clock">,
  path: string,
): Promise<void> {
  await bucket?.discarding(path);
  const temporary = join(paths.building, path.slice(path.lastIndexOf("/") + 1));
  try {
    await fs.rename(join(paths.blocks, path), temporary);
  } catch (error) {
    // Of a block that others wrote, no file may have been needed here.
    if (bucket === undefined || !hasErrorCode(error, "ENOENT")) throw error;
  }
  await fs.remove(temporary);
}
