import { basename, dirname, join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { Block } from "./block.ts";
import { parseBlockMeta } from "./block-meta.ts";
import { type DataPaths, dataPaths, META_FILE, SHIPPED_FILE } from "./filenames.ts";
import { checkDataDirectory } from "./find-blocks.ts";
import type { Fs } from "./fs.ts";
import { listBlockPaths, Quarantine } from "./quarantine.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";

/** A file that is not as its block's `meta.json` says. */
interface DamagedFile {
  /** Below the data directory. */
  readonly path: string;
  readonly reason: string;
}

/** What is wrong in a data directory. */
export interface StoreDamage {
  readonly blockCount: number;
  /** In the order of their paths. */
  readonly files: readonly DamagedFile[];
}

/**
 * Reads every file of every block and compares it with its checksum. A receiver may run meanwhile: blocks that it
 * deletes are passed over.
 *
 * @throws {@link ReceiverError} NOT_FOUND when there is no data directory, STORAGE_FORMAT when a block is of a newer format.
 */
export async function verifyStore(fs: Fs, directory: string): Promise<StoreDamage> {
  const paths = dataPaths(directory);
  const blockPaths = [...(await listBlocks(fs, paths))].sort();
  const files: DamagedFile[] = [];
  for (const path of blockPaths) files.push(...(await verifyBlock(fs, paths, path)));
  return { blockCount: blockPaths.length, files };
}

/**
 * Moves every block with a damaged file into the quarantine. No receiver may have the directory open.
 *
 * @returns what was found, as {@link verifyStore} does.
 */
export async function repairStore(
  fs: Fs,
  directory: string,
  log: (line: string) => void,
): Promise<StoreDamage> {
  const damage = await verifyStore(fs, directory);
  const paths = dataPaths(directory);
  const quarantine = new Quarantine(fs, paths, log);
  const reasons = new Map<string, string[]>();
  for (const { path, reason } of damage.files) {
    const block = blockOf(path);
    reasons.set(block, [...(reasons.get(block) ?? []), reason]);
  }
  for (const [block, found] of reasons) await quarantine.addBlock(block, undefined, found.join(", "));
  return damage;
}

async function listBlocks(fs: Fs, paths: DataPaths): Promise<readonly string[]> {
  await checkDataDirectory(fs, paths);
  return await listBlockPaths(fs, paths.blocks);
}

async function verifyBlock(fs: Fs, paths: DataPaths, path: string): Promise<readonly DamagedFile[]> {
  const damaged = await findDamage(fs, paths, path);
  if (damaged.length === 0) return damaged;
  const siblings = await fs.list(dirname(join(paths.blocks, path)));
  const isThere = siblings.some(({ name }) => path.endsWith(`/${name}`));
  return isThere ? damaged : [];
}

async function findDamage(fs: Fs, paths: DataPaths, path: string): Promise<readonly DamagedFile[]> {
  const describe = (file: string, reason: string): DamagedFile => ({
    path: join("blocks", path, file),
    reason,
  });
  let block: Block;
  try {
    const text = await fs.readFile(join(paths.blocks, path, META_FILE));
    block = new Block(parseBlockMeta(text.toString("utf8"), join("blocks", path, META_FILE)), paths.blocks);
  } catch (error) {
    if (error instanceof ReceiverError && error.code === "STORAGE_FORMAT") throw error;
    return [describe(META_FILE, error instanceof Error ? error.message : String(error))];
  }
  if (block.path !== path) return [describe(META_FILE, `it says that the block is ${block.path}`)];
  const reasons = new Map<TableName, string>();
  const evicted = await listEvicted(fs, block, join(paths.blocks, path));
  for (const table of TABLE_NAMES) {
    if (evicted.has(table)) continue;
    const reason = await block.verify(fs, [table]);
    if (reason !== undefined) reasons.set(table, reason);
  }
  if (reasons.size === 0) return [];
  // A receiver that has the directory may evict files before their turn comes.
  for (const table of await listEvicted(fs, block, join(paths.blocks, path))) reasons.delete(table);
  return [...reasons].map(([table, reason]) => describe(tables[table].file, reason));
}

/** Tables of a block that are in the bucket only. */
async function listEvicted(fs: Fs, block: Block, directory: string): Promise<ReadonlySet<TableName>> {
  if (!(await fs.list(directory)).some(({ name }) => name === SHIPPED_FILE)) return new Set();
  const evicted = new Set<TableName>();
  for (const table of TABLE_NAMES) {
    const names = (await fs.list(dirname(block.file(table)))).map(({ name }) => name);
    if (!names.includes(basename(block.file(table)))) evicted.add(table);
  }
  return evicted;
}

/** The block of a file: four directories below `blocks`. */
function blockOf(path: string): string {
  return path.split("/").slice(1, 5).join("/");
}
