import { ReceiverError } from "../errors.ts";
import { Duckdb } from "./duckdb.ts";
import type { DataPaths } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import { type DatabaseLimits, DEFAULT_DATABASE_LIMITS } from "./store-options.ts";

/** How a data directory is taken. */
export interface OpenDatabaseOptions {
  readonly fs: Fs;
  readonly paths: DataPaths;
  readonly limits?: Partial<DatabaseLimits> | undefined;
  readonly log: (line: string) => void;
}

/**
 * Opens the catalog's file, and with it takes the lock on the data directory. A damaged one is made again.
 *
 * @throws {@link ReceiverError} STORAGE_LOCKED when another process has the directory.
 */
export async function openDatabase({ fs, paths, limits, log }: OpenDatabaseOptions): Promise<Duckdb> {
  const open = (): Promise<Duckdb> =>
    Duckdb.open({
      path: paths.catalog,
      directory: paths.root,
      temporaryDirectory: paths.spill,
      ...DEFAULT_DATABASE_LIMITS,
      ...limits,
    });
  let database: Duckdb;
  try {
    database = await open();
  } catch (error) {
    if (!(error instanceof ReceiverError) || error.code !== "STORAGE_FORMAT") throw error;
    // The file is a cache of the blocks' directories.
    log(`the catalog is made again from the blocks: ${error.message}`);
    await fs.remove(paths.catalog);
    await fs.remove(`${paths.catalog}.wal`);
    database = await open();
  }
  await fs.protect(paths.catalog);
  return database;
}
