import { ReceiverError } from "./errors.ts";
import { type BlockViews, openBlockViews } from "./store/block-views.ts";
import { openBucketViews } from "./store/bucket/bucket-views.ts";
import { type BucketSource, verifyBucket } from "./store/bucket/verify-bucket.ts";
import { dataPaths } from "./store/filenames.ts";
import { formatCsv, formatTextTable } from "./store/format-text-table.ts";
import type { Level } from "./store/level.ts";
import { nodeFs } from "./store/node-fs.ts";
import { openBlobs } from "./store/open-blobs.ts";
import { openDatabase } from "./store/open-database.ts";
import { Postgres } from "./store/shared/postgres.ts";
import { repairStore, type StoreDamage, verifyStore } from "./store/verify-store.ts";
import type { StorePlace } from "./store-place.ts";

const MAX_SQL_ATTEMPTS = 3;

/** Takes text for standard output. */
export type Write = (text: string) => void;

/** `pyroscope store verify`: prints a line for each damaged file. Returns whether there is none. */
export async function runStoreVerify(place: StorePlace, write: Write): Promise<boolean> {
  if (place.kind === "data") return print(await verifyStore(nodeFs, place.directory), "files damaged", write);
  const damage = await withBucket(place, verifyBucket);
  return print(damage, "objects damaged", write);
}

/** `pyroscope store repair`: moves damaged blocks into the quarantine, while it holds the directory. */
export async function runStoreRepair(directory: string, write: Write): Promise<void> {
  // Before the lock, whose file would make any directory look like one of ours.
  await verifyStore(nodeFs, directory);
  const log = (line: string): void => write(`${line}\n`);
  const database = await openDatabase({ fs: nodeFs, paths: dataPaths(directory), log });
  try {
    print(await repairStore(nodeFs, directory, log), "files set aside with its block", write);
  } finally {
    database.close();
  }
}

/** How {@link runStoreSql} prints. */
type SqlFormat = "table" | "csv" | "json";

/** What {@link runStoreSql} reads. */
export interface SqlQuery {
  readonly sql: string;
  readonly tenant: string;
  readonly level: Level;
  readonly format: SqlFormat;
}

/** `pyroscope store sql`: prints what a query finds in the blocks; `warn` takes what they lack. */
export async function runStoreSql(
  place: StorePlace,
  query: SqlQuery,
  write: Write,
  warn: Write,
): Promise<void> {
  if (place.kind === "data") {
    const { directory } = place;
    await printQuery(query, () => openBlockViews({ fs: nodeFs, directory, ...query }), write, warn);
  } else {
    await withBucket(place, (source) =>
      printQuery(query, () => openBucketViews(source, query, query.sql), write, warn),
    );
  }
}

async function printQuery(
  { sql, format }: SqlQuery,
  open: () => Promise<BlockViews>,
  write: Write,
  warn: Write,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const views = await open();
    try {
      const text = await formatQuery(views, sql, format);
      for (const warning of views.warnings) warn(`${warning}\n`);
      write(text);
      return;
    } catch (error) {
      // A receiver has merged blocks meanwhile.
      const isGone = error instanceof ReceiverError && error.code === "STORAGE_UNAVAILABLE";
      if (!isGone || attempt === MAX_SQL_ATTEMPTS) throw error;
    } finally {
      await views.close();
    }
  }
}

async function withBucket<Result>(
  { blobs: blobsPlace, postgresUrl }: Extract<StorePlace, { readonly kind: "bucket" }>,
  use: (source: BucketSource) => Promise<Result>,
): Promise<Result> {
  const blobs = await openBlobs(blobsPlace);
  const catalog = postgresUrl === undefined ? undefined : await Postgres.create(postgresUrl);
  try {
    return await use({ fs: nodeFs, blobs, catalog });
  } finally {
    blobs.close();
    await catalog?.close();
  }
}

async function formatQuery(views: BlockViews, sql: string, format: SqlFormat): Promise<string> {
  if (format === "json") {
    const lines = await views.selectJson(sql);
    return `[${lines.join(",\n")}]\n`;
  }
  const table = await views.select(sql);
  return format === "csv" ? formatCsv(table) : formatTextTable(table);
}

function print({ blockCount, files }: StoreDamage, state: string, write: Write): boolean {
  for (const { path, reason } of files) write(`${path}: ${reason}\n`);
  write(`${blockCount} blocks, ${files.length} ${state}\n`);
  return files.length === 0;
}
