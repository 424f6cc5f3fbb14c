import { join } from "node:path";
import type { DataPaths } from "./filenames.ts";
import type { Fs } from "./fs.ts";

/** Deletes a block's directory: first out of the way in one step, so that a crash leaves no half of it among the blocks. */
export async function discardBlock(fs: Fs, paths: DataPaths, path: string): Promise<void> {
  const temporary = join(paths.building, path.slice(path.lastIndexOf("/") + 1));
  await fs.rename(join(paths.blocks, path), temporary);
  await fs.remove(temporary);
}
