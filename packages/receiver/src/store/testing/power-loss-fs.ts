import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { AppendFile, Fs } from "../fs.ts";
import { nodeFs } from "../node-fs.ts";

const SECTOR_BYTES = 512;

/** Bytes of a file: what is on the platter for sure, and what a program reads. */
interface FileNode {
  synced: Buffer;
  data: Buffer;
}

/** A change of directories that no sync has made durable yet. Paths are files'. */
interface PendingChange {
  readonly kind: "link" | "unlink";
  path: string;
  readonly node: FileNode;
  /** Of a rename, which moves all files below a directory by one entry. */
  readonly move?: object;
}

/** A number from 0 up to, not including, 1. */
export type Random = () => number;

/**
 * The disk of this machine as one that can lose power: it also keeps what of its files and entries would be there after.
 *
 * Until a sync, each of these may have happened or not, by itself: the entry of a new file, a rename, or its first half
 * so that both names are there, the removal of each file, each 512-byte sector of what was appended. What `adopt`, `writeFile`, `makeDirectory` and `syncDirectory` promise is
 * as `Fs` has it and no more. DuckDB's own files are not part of it.
 */
export class PowerLossFs implements Fs {
  readonly #root: string;
  readonly #onChange: () => void;
  /** Files whose entries survive, by path below the root. */
  readonly #durable = new Map<string, FileNode>();
  readonly #pending: PendingChange[] = [];

  /** @param onChange - called before and after each change, when the power may go. */
  constructor(root: string, onChange: () => void) {
    this.#root = root;
    this.#onChange = onChange;
  }

  readonly list: Fs["list"] = nodeFs.list;
  readonly readFile: Fs["readFile"] = nodeFs.readFile;
  readonly checksum: Fs["checksum"] = nodeFs.checksum;
  readonly readChunks: Fs["readChunks"] = nodeFs.readChunks;
  readonly protect: Fs["protect"] = nodeFs.protect;
  readonly makeDirectory: Fs["makeDirectory"] = nodeFs.makeDirectory;

  /** What a disk that loses power now may hold, by path below the root. */
  crash(random: Random): ReadonlyMap<string, Buffer> {
    const files = new Map(this.#durable);
    const moves = new Map<object, number>();
    for (const change of this.#pending) {
      const { kind, move = change } = change;
      const luck = moves.get(move) ?? random();
      moves.set(move, luck);
      // The new name of something comes before the old one goes.
      if (luck < (change.move === undefined ? 0.5 : kind === "link" ? 0.67 : 0.33)) apply(files, change);
    }
    return new Map([...files].map(([path, node]) => [path, tear(node, random)]));
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    this.#onChange();
    await nodeFs.writeFile(path, bytes);
    const data = Buffer.from(bytes);
    this.#pending.push({ kind: "link", path: this.#relative(path), node: { synced: data, data } });
    this.#onChange();
  }

  async createFile(path: string): Promise<AppendFile> {
    const file = await nodeFs.createFile(path);
    const node: FileNode = { synced: Buffer.alloc(0), data: Buffer.alloc(0) };
    this.#pending.push({ kind: "link", path: this.#relative(path), node });
    this.#onChange();
    return {
      append: async (buffers) => {
        await file.append(buffers);
        node.data = Buffer.concat([node.data, ...buffers]);
        this.#onChange();
      },
      sync: async () => {
        const { data } = node;
        await file.sync();
        this.#onChange();
        node.synced = data;
        this.#onChange();
      },
      truncate: async (length) => {
        await file.truncate(length);
        node.data = node.data.subarray(0, length);
      },
      close: () => file.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#onChange();
    await nodeFs.rename(from, to);
    const [old, wanted] = [this.#relative(from), this.#relative(to)];
    const move = {};
    // All files of a directory move at once, and with them what is not durable about their entries yet.
    for (const change of this.#pending) change.path = moved(change.path, old, wanted);
    for (const [path, node] of [...this.#durable]) {
      if (!isBelow(path, old)) continue;
      this.#pending.push(
        { kind: "link", path: moved(path, old, wanted), node, move },
        { kind: "unlink", path, node, move },
      );
    }
    this.#onChange();
  }

  async remove(path: string): Promise<void> {
    this.#onChange();
    await nodeFs.remove(path);
    const gone = this.#relative(path);
    for (const [file, node] of this.#current()) {
      if (isBelow(file, gone)) this.#pending.push({ kind: "unlink", path: file, node });
    }
    this.#onChange();
  }

  async syncDirectory(path: string): Promise<void> {
    this.#onChange();
    await nodeFs.syncDirectory(path);
    this.#settle(this.#relative(path));
    this.#onChange();
  }

  async adopt(path: string, files: readonly string[]): ReturnType<Fs["adopt"]> {
    this.#onChange();
    const sums = await nodeFs.adopt(path, files);
    for (const name of files) {
      const data = await readFile(join(path, name));
      this.#durable.set(this.#relative(join(path, name)), { synced: data, data });
    }
    this.#onChange();
    return sums;
  }

  /** Makes the entries of a directory durable: those of its files, and those of directories that were moved into it. */
  #settle(directory: string): void {
    for (const change of [...this.#pending]) {
      const isArrival =
        change.move !== undefined && change.kind === "link" && isBelow(change.path, directory);
      if (dirname(change.path) !== directory && !isArrival) continue;
      apply(this.#durable, change);
      this.#pending.splice(this.#pending.indexOf(change), 1);
    }
  }

  #current(): ReadonlyMap<string, FileNode> {
    const files = new Map(this.#durable);
    for (const change of this.#pending) apply(files, change);
    return files;
  }

  #relative(path: string): string {
    return relative(this.#root, path);
  }
}

/** Writes files into an empty directory. */
export async function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

function apply(files: Map<string, FileNode>, change: PendingChange): void {
  if (change.kind === "link") files.set(change.path, change.node);
  else files.delete(change.path);
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory + sep);
}

function moved(path: string, from: string, to: string): string {
  return isBelow(path, from) ? to + path.slice(from.length) : path;
}

/** What of a file is there: of each sector that was not synced what was written, or zeros, and of the last ones nothing. */
function tear({ synced, data }: FileNode, random: Random): Buffer {
  const length = synced.length + Math.floor(random() * (data.length - synced.length + 1));
  const torn = Buffer.from(data.subarray(0, Math.max(length, Math.min(synced.length, data.length))));
  for (let at = synced.length; at < torn.length; ) {
    const end = Math.min(torn.length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random() < 0.3) torn.fill(0, at, end);
    at = end;
  }
  return torn;
}
