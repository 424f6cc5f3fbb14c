import type { Block } from "./block.ts";
import type { BlockPlace } from "./commit-block.ts";
import type { TableName } from "./schema.ts";

/**
 * Makes sure that the wanted files of a block are there and as they were written; brings those that are not from the
 * bucket, if there is one. The block must be retained where files can be evicted.
 *
 * @returns what is wrong, or undefined.
 * @throws what disk or bucket throw when they cannot be read now: that is no damage.
 */
export async function findDamage(
  { fs, bucket }: Pick<BlockPlace, "fs" | "bucket">,
  block: Block,
  wanted: readonly TableName[],
): Promise<string | undefined> {
  for (const table of wanted) {
    const damage = await block.verify(fs, [table]);
    if (damage === undefined) continue;
    const stays = bucket === undefined ? damage : await bucket.fetch(block, table);
    if (stays !== undefined) return stays;
  }
  bucket?.touch(block);
  return undefined;
}
