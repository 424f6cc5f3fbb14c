import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { type BlockMeta, formatBlockMeta, parseBlockMeta } from "./block-meta.ts";
import { blockPath, META_FILE } from "./filenames.ts";
import { type Fs, hasErrorCode } from "./fs.ts";
import { Latch } from "./latch.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";

/** One block on disk: what it is, what of it was verified, and who is reading it. */
export class Block {
  readonly meta: BlockMeta;
  /** Below the directory of blocks. */
  readonly path: string;
  readonly #directory: string;
  readonly #verified = new Set<TableName>();
  readonly #readers = new Latch();

  /**
   * @param blocksDirectory - {@link DataPaths.blocks}.
   * @param verified - Tables whose checksums are known to hold, because they were made just now.
   */
  constructor(meta: BlockMeta, blocksDirectory: string, verified: readonly TableName[] = []) {
    this.meta = meta;
    this.path = blockPath(meta.tenant, meta.level, meta.minUnixNanos, meta.id);
    this.#directory = join(blocksDirectory, this.path);
    for (const table of verified) this.#verified.add(table);
  }

  /** Absolute path of one table's file. */
  file(table: TableName): string {
    return join(this.#directory, tables[table].file);
  }

  isVerified(wanted: readonly TableName[]): boolean {
    return wanted.every((table) => this.#verified.has(table));
  }

  /** Notes that a table's file was replaced by one whose checksum holds. */
  accept(table: TableName): void {
    this.#verified.add(table);
  }

  /** Notes that the files of tables go: they must be brought again before they are read. */
  forget(): void {
    this.#verified.clear();
  }

  /** Whether a profile of these times can be in the block; both inclusive. */
  overlaps(fromUnixNanos: bigint, untilUnixNanos: bigint): boolean {
    return this.meta.minUnixNanos <= untilUnixNanos && this.meta.maxUnixNanos >= fromUnixNanos;
  }

  /**
   * Checks `meta.json` and the wanted tables against their checksums, each once since the start.
   *
   * @returns what is wrong, or undefined.
   * @throws what the disk throws when it cannot be read now, such as EMFILE: that is no damage.
   */
  async verify(fs: Fs, wanted: readonly TableName[] = TABLE_NAMES): Promise<string | undefined> {
    if (this.#verified.size === 0) {
      const damage = await this.#verifyMeta(fs);
      if (damage !== undefined) return damage;
    }
    for (const table of wanted) {
      if (this.#verified.has(table)) continue;
      const damage = await this.#verifyTable(fs, table);
      if (damage !== undefined) return damage;
      this.#verified.add(table);
    }
    return undefined;
  }

  /** Keeps the block's files where they are until {@link Block.release}. */
  retain(): void {
    this.#readers.enter();
  }

  release(): void {
    this.#readers.leave();
  }

  /** Whether somebody reads the block, or is about to. */
  get isInUse(): boolean {
    return this.#readers.count > 0;
  }

  /** Resolves when nobody reads the block. Somebody may again, unless it is no longer in the catalog. */
  unused(): Promise<void> {
    return this.#readers.empty();
  }

  async #verifyMeta(fs: Fs): Promise<string | undefined> {
    const path = join(this.#directory, META_FILE);
    const text = await readOrUndefined(() => fs.readFile(path));
    if (text === undefined) return `${META_FILE} is not there`;
    try {
      const found = formatBlockMeta(parseBlockMeta(text.toString("utf8"), path));
      return found === formatBlockMeta(this.meta) ? undefined : `${META_FILE} has changed`;
    } catch (error) {
      return String(error);
    }
  }

  async #verifyTable(fs: Fs, table: TableName): Promise<string | undefined> {
    const name = tables[table].file;
    const expected = this.meta.files.get(name);
    if (expected === undefined) throw new ReceiverError(`${name} has no checksum`, { code: "INTERNAL" });
    const found = await readOrUndefined(() => fs.checksum(this.file(table)));
    if (found === undefined) return `${name} is not there`;
    if (found.bytes !== expected.bytes) return `${name} has ${found.bytes} bytes of ${expected.bytes}`;
    return found.crc32 === expected.crc32 ? undefined : `the checksum of ${name} does not hold`;
  }
}

// What a disk answers for what is lost: no such file, a bad sector, a directory where a file was.
const DAMAGE_CODES = ["ENOENT", "EIO", "EISDIR", "ENOTDIR"];

async function readOrUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (DAMAGE_CODES.some((code) => hasErrorCode(error, code))) return undefined;
    throw error;
  }
}
