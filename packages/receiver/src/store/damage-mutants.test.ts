import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { META_FILE } from "./filenames.ts";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { TABLE_NAMES, tables } from "./schema.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import type { Random } from "./testing/power-loss-fs.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import { StoreDirectory, sumAll } from "./testing/store-directory.ts";
import { tortureCount } from "./testing/torture.ts";
import { verifyStore } from "./verify-store.ts";

const MUTANTS = tortureCount(300, 5000);
/** Every so many mutants a store is opened on one, too: it answers from the other blocks. */
const OPEN_EVERY = 60;
const BLOCKS = 3;
const PAGE_BYTES = 4096;
const FILES = [...TABLE_NAMES.map((table) => tables[table].file), META_FILE];

/** Other bytes than these, or undefined for no file at all. */
function mutate(bytes: Buffer, random: Random): Buffer | undefined {
  const at = Math.floor(random() * bytes.length);
  const mutant = Buffer.from(bytes);
  const kind = Math.floor(random() * 4);
  if (kind === 0) mutant[at]! ^= 1 + Math.floor(random() * 255);
  if (kind === 1) return mutant.subarray(0, at);
  if (kind === 2) mutant.fill(0, at, Math.min(bytes.length, at + PAGE_BYTES));
  if (kind === 3) return undefined;
  // A page that was all zeros is no damage.
  return mutant.equals(bytes) ? mutate(bytes, random) : mutant;
}

describe("damage of a block", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it(`is found in exactly the file that has it, and other blocks answer (${MUTANTS} mutants)`, {
    timeout: 60_000 + 200 * MUTANTS,
  }, async () => {
    const store = await directory.open();
    for (let i = 0; i < BLOCKS; i++) {
      const samples = [{ stack: ["main", `f${i}`], value: 2 ** i }];
      await store.append(plainAdmission("a", [{ service: "shop", timeUnixMillis: 1e12 + i, samples }]));
      await store.flush();
    }
    await store.close();
    const blocks = [...(await listBlockPaths(nodeFs, join(directory.path, "blocks")))].sort();
    const random = seededRandom(7);

    for (let i = 0; i < MUTANTS; i++) {
      const block = blocks[i % BLOCKS] ?? "";
      const file = FILES[Math.floor(i / BLOCKS) % FILES.length] ?? "";
      const path = join(directory.path, "blocks", block, file);
      const bytes = await readFile(path);
      const mutant = mutate(bytes, random);
      await (mutant === undefined ? rm(path) : writeFile(path, mutant));

      const { files } = await verifyStore(nodeFs, directory.path);
      expect(
        files.map((found) => found.path),
        `mutant ${i}`,
      ).toEqual([join("blocks", block, file)]);
      if (i % OPEN_EVERY === OPEN_EVERY - 1) await expectOthersToAnswer(i % BLOCKS);
      await writeFile(path, bytes);
    }
  });

  /** In a copy: a store moves what is damaged away. */
  async function expectOthersToAnswer(damaged: number): Promise<void> {
    const copy = await directory.copy();
    const store = await copy.open();
    const { value } = await sumAll(store, "a");
    expect(value).toBe(BigInt(2 ** BLOCKS - 1 - 2 ** damaged));
    expect(store.status().quarantinedBlockCount).toBe(1);
    await copy.remove();
  }
});
