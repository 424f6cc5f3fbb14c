import { dataPaths } from "./store/filenames.ts";
import { nodeFs } from "./store/node-fs.ts";
import { openDatabase } from "./store/open-database.ts";
import { repairStore, type StoreDamage, verifyStore } from "./store/verify-store.ts";

/** Takes text for standard output. */
export type Write = (text: string) => void;

/** `pyroscope store verify`: prints a line for each damaged file. Returns whether there is none. */
export async function runStoreVerify(directory: string, write: Write): Promise<boolean> {
  return print(await verifyStore(nodeFs, directory), "damaged", write);
}

/** `pyroscope store repair`: moves damaged blocks into the quarantine, while it holds the directory. */
export async function runStoreRepair(directory: string, write: Write): Promise<void> {
  // Before the lock, whose file would make any directory look like one of ours.
  await verifyStore(nodeFs, directory);
  const log = (line: string): void => write(`${line}\n`);
  const database = await openDatabase({ fs: nodeFs, paths: dataPaths(directory), log });
  try {
    print(await repairStore(nodeFs, directory, log), "set aside with its block", write);
  } finally {
    database.close();
  }
}

function print({ blockCount, files }: StoreDamage, state: string, write: Write): boolean {
  for (const { path, reason } of files) write(`${path}: ${reason}\n`);
  write(`${blockCount} blocks, ${files.length} files ${state}\n`);
  return files.length === 0;
}
