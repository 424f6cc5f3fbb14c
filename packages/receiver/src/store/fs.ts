/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Size and checksum of one file. */
export interface FileSum {
  readonly bytes: number;
  readonly crc32: number;
}

/** A new file that only grows. */
export interface AppendFile {
  /** Writes all bytes of all buffers, or throws; after that some of them may be in the file. */
  append(buffers: readonly Uint8Array[]): Promise<void>;
  /** Makes what was appended durable (fdatasync). After it threw once, nothing of the file may be relied on. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every access of ours to the disk, so that a test can fail, tear and reorder it. Paths are absolute. Directories
 * are for their owner alone (0700), files too (0600). DuckDB does its own I/O: it writes into a temporary directory
 * only, which {@link Fs.adopt} takes over, and reads only files whose checksum was verified.
 */
export interface Fs {
  /** Makes a directory and those above it; durable together with their entries. Fine when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory; none when there is no such directory. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** @throws with `code` ENOENT when there is no such file. */
  readFile(path: string): Promise<Buffer>;
  /** Reads a file to its end. @throws with `code` ENOENT when there is no such file. */
  checksum(path: string): Promise<FileSum>;
  /** Reads a file, or a part of it, piece by piece. @throws with `code` ENOENT when there is no such file. */
  readChunks(path: string, range?: { readonly from: number; readonly bytes: number }): AsyncIterable<Buffer>;
  /** Writes a new file; durable, but for its entry in the directory. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes a new file to append to. */
  createFile(path: string): Promise<AppendFile>;
  /** Moves a file or directory within the data directory; durable after {@link syncDirectory} of both parents. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; fine when it is not there. */
  remove(path: string): Promise<void>;
  /** Makes the entries of a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Makes files and directories below `path` that someone else wrote durable and private; returns their sums. */
  adopt(path: string, files: readonly string[]): Promise<ReadonlyMap<string, FileSum>>;
  /** Makes an existing file private without opening it. */
  protect(path: string): Promise<void>;
}

/** Writes what comes into a new file; durable, but for its entry in the directory. */
export async function writeChunks(fs: Fs, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await fs.createFile(path);
  try {
    for await (const chunk of chunks) await file.append([chunk]);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Whether an error is the operating system's `code`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
