import { dirname, join } from "node:path";
import { type BlockMeta, parseBlockMeta } from "./block-meta.ts";
import { type DataPaths, decodeTenant, isBlockId, META_FILE } from "./filenames.ts";
import type { Fs } from "./fs.ts";

/** A block that is set aside: what is known about it, so that answers can say that they lack it. */
export interface QuarantinedBlock {
  readonly id: string;
  readonly tenant: string;
  /** Both inclusive; of the whole day where `meta.json` is not readable. */
  readonly minUnixNanos: bigint;
  readonly maxUnixNanos: bigint;
  /** Blocks that it was made of and that answer instead, where they are there. */
  readonly rolledUp?: readonly string[];
}

const NANOS_PER_DAY = 86_400_000_000_000n;
const NANOS_PER_MILLI = 1_000_000n;

/** Damaged blocks and pieces of the log, moved out of the way and kept for someone to look at. */
export class Quarantine {
  readonly #fs: Fs;
  readonly #paths: DataPaths;
  readonly #log: (line: string) => void;
  readonly #blocks: QuarantinedBlock[] = [];
  #logPieceCount = 0;

  constructor(fs: Fs, paths: DataPaths, log: (line: string) => void) {
    this.#fs = fs;
    this.#paths = paths;
    this.#log = log;
  }

  get blocks(): readonly QuarantinedBlock[] {
    return this.#blocks;
  }

  /** Pieces of the log that were set aside since the start. */
  get logPieceCount(): number {
    return this.#logPieceCount;
  }

  /** Finds the blocks that were set aside before this start. */
  async load(): Promise<void> {
    const root = join(this.#paths.quarantine, "blocks");
    for (const path of await listBlockPaths(this.#fs, root)) {
      const text = await this.#fs.readFile(join(root, path, META_FILE)).catch(() => undefined);
      this.#blocks.push(describe(path, parseOrUndefined(text?.toString("utf8"), path)));
    }
  }

  /**
   * Moves a block out of the way. It is out of answers at once, and said to be missing, even where the move fails.
   *
   * @param path - Below the directory of blocks.
   */
  async addBlock(path: string, meta: BlockMeta | undefined, reason: string): Promise<void> {
    const block = describe(path, meta);
    this.#blocks.push(block);
    this.#log(
      `block ${block.id} of tenant ${JSON.stringify(block.tenant)} is damaged and set aside: ${reason}`,
    );
    const target = join(this.#paths.quarantine, "blocks", path);
    try {
      await this.#fs.makeDirectory(dirname(target));
      await this.#fs.rename(join(this.#paths.blocks, path), target);
      await this.#fs.syncDirectory(dirname(target));
    } catch (error) {
      this.#log(`block ${block.id} could not be moved to ${target}: ${String(error)}`);
    }
  }

  /** Writes down bytes of a segment that are no frame. The same bytes found again are the same file. */
  async addLogPiece(segment: string, offset: number, bytes: Uint8Array, reason: string): Promise<void> {
    this.#logPieceCount++;
    const directory = join(this.#paths.quarantine, "wal");
    const target = join(directory, `${segment}.${offset}`);
    this.#log(`${bytes.length} bytes of log segment ${segment} at ${offset} are set aside: ${reason}`);
    await this.#fs.makeDirectory(directory);
    await this.#fs.remove(target);
    await this.#fs.writeFile(target, bytes);
    await this.#fs.syncDirectory(directory);
  }
}

/** Paths of all blocks below `root`: `<tenant>/<level>/<day>/<id>`. */
export async function listBlockPaths(fs: Fs, root: string): Promise<readonly string[]> {
  let paths: readonly string[] = [""];
  for (let depth = 0; depth < 4; depth++) {
    const next: string[] = [];
    for (const path of paths) {
      for (const entry of await fs.list(join(root, path))) {
        if (entry.isDirectory) next.push(join(path, entry.name));
      }
    }
    paths = next;
  }
  return paths.filter((path) => isBlockId(path.slice(path.lastIndexOf("/") + 1)));
}

function describe(path: string, meta: BlockMeta | undefined): QuarantinedBlock {
  if (meta !== undefined) return meta;
  const [tenant = "", , day = "", id = ""] = path.split("/");
  const dayUnixMillis = Date.parse(day);
  const minUnixNanos = Number.isNaN(dayUnixMillis) ? 0n : BigInt(dayUnixMillis) * NANOS_PER_MILLI;
  return {
    id,
    tenant: decodeTenant(tenant) ?? tenant,
    minUnixNanos,
    maxUnixNanos: minUnixNanos + NANOS_PER_DAY - 1n,
  };
}

function parseOrUndefined(text: string | undefined, path: string): BlockMeta | undefined {
  try {
    return text === undefined ? undefined : parseBlockMeta(text, path);
  } catch {
    return undefined;
  }
}
