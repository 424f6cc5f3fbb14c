import { join } from "node:path";
import type { BlockPlace } from "./commit-block.ts";

/** Deletes a block's directory: first out of the way in one step, so that a crash leaves no half of it among the blocks. */
export async function discardBlock({ fs, paths, bucket }: BlockPlace, path: string): Promise<void> {
  await bucket?.discarding(path);
  const temporary = join(paths.building, path.slice(path.lastIndexOf("/") + 1));
  await fs.rename(join(paths.blocks, path), temporary);
  await fs.remove(temporary);
}
