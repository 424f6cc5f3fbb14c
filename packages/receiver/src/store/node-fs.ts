import { createReadStream } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { type AppendFile, type DirectoryEntry, type FileSum, type Fs, hasErrorCode } from "./fs.ts";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const READ_BYTES = 1024 * 1024;

/** The disk of this machine. */
export const nodeFs: Fs = {
  makeDirectory: async (path) => {
    const first = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    if (first === undefined) return;
    // Each new directory's entry lies in the one above it.
    for (let made = path; made.length >= first.length; made = dirname(made))
      await syncDirectory(dirname(made));
  },
  list,
  readFile: (path) => readFile(path),
  checksum: (path) => withFile(path, "r", checksumOf),
  readChunks,
  writeFile: (path, bytes) =>
    withFile(path, "wx", async (file) => {
      await writeAll(file, [bytes]);
      await file.sync();
    }),
  createFile: async (path) => appendFile(await open(path, "wx", FILE_MODE)),
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  syncDirectory,
  adopt,
  protect: (path) => chmod(path, FILE_MODE),
};

/** A generator, so that the file is opened when it is read: a stream that nobody listens to yet throws its error at the process. */
async function* readChunks(...[path, range]: Parameters<Fs["readChunks"]>): AsyncGenerator<Buffer> {
  const part = range && { start: range.from, end: range.from + range.bytes - 1 };
  yield* createReadStream(path, { highWaterMark: READ_BYTES, ...part });
}

async function list(path: string): Promise<readonly DirectoryEntry[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  await withFile(path, "r", (directory) => directory.sync());
}

async function adopt(path: string, files: readonly string[]): Promise<ReadonlyMap<string, FileSum>> {
  const sums = new Map<string, FileSum>();
  for (const name of files) {
    const sum = await withFile(join(path, name), "r+", async (file) => {
      await file.chmod(FILE_MODE);
      await file.sync();
      return await checksumOf(file);
    });
    sums.set(name, sum);
  }
  for (const directory of new Set(files.map((name) => dirname(join(path, name)))))
    await syncDirectory(directory);
  await syncDirectory(path);
  return sums;
}

function appendFile(file: FileHandle): AppendFile {
  return {
    append: (buffers) => writeAll(file, buffers),
    sync: () => file.datasync(),
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  };
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, FILE_MODE);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function checksumOf(file: FileHandle): Promise<FileSum> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let sum = 0;
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, bytes);
    if (bytesRead === 0) return { bytes, crc32: sum };
    sum = crc32(buffer.subarray(0, bytesRead), sum);
    bytes += bytesRead;
  }
}

async function writeAll(file: FileHandle, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest as Uint8Array[]);
    rest = withoutFirstBytes(rest, bytesWritten);
  }
}

/** What is left to write after a write that took only the first `count` bytes, as on a disk that fills up. */
function withoutFirstBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skipped = 0;
  let left = count;
  while (skipped < buffers.length && left >= buffers[skipped]!.length) left -= buffers[skipped++]!.length;
  const rest = buffers.slice(skipped);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
