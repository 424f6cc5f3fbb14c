import type { Database } from "./database.ts";
import type { Level } from "./level.ts";
import type { RemoteEngine, RemotePart } from "./remote-engine.ts";
import type { TableName } from "./schema.ts";

/** What a query will look at. */
export interface SnapshotRange {
  readonly tenants: readonly string[];
  /** Both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
  /** Profile type ids; undefined: all. Only leaves out parts that have none of them. */
  readonly types?: readonly string[] | undefined;
  /** Values of `service_name`; undefined: all. Only leaves out parts that have none of them. */
  readonly services?: readonly string[] | undefined;
  /** The coarsest level that may be read where there is one; undefined: raw. */
  readonly level?: Level | undefined;
  /** The tables that will be read; undefined: all. Files of the others are not verified. */
  readonly tables?: readonly TableName[] | undefined;
  /** Whether samples are only summed up, by stack or point: an engine may do that where they lie; see {@link Snapshot.remote}. */
  readonly isSummed?: boolean | undefined;
}

/** Samples that an engine sums up. */
export interface RemoteSamples {
  readonly engine: RemoteEngine;
  readonly parts: readonly RemotePart[];
}

/** Head and blocks as they were at one moment, for one query. Must be released. */
export interface Snapshot {
  readonly database: Database;
  /**
   * A term for FROM: the rows of all parts that touch the range, with the columns of `schema.ts`. It needs no
   * parameters. Each profile, stack, frame and series is there once, although several parts hold it. Rows outside
   * the range of time, types and services can be among them.
   */
  from(table: TableName): string;
  /**
   * As {@link from}, but a stack, frame or series that several parts hold comes several times, always the same.
   * Cheaper where the query groups by itself after it has narrowed the rows down.
   */
  fromParts(table: "series" | "stacks" | "frames"): string;
  /** Rows of each table in all parts, whatever the range and the filter leave of them. Frames of the head are not counted. */
  readonly rowCounts: Readonly<Record<TableName, number>>;
  /** Bytes of the file of each table, for each block in the range; what is in memory has no bytes. */
  readonly blockSizes: readonly Readonly<Record<TableName, number>>[];
  /** Blocks in the range that are quarantined or could not be read: the answer is partial. */
  readonly missingBlocks: readonly string[];
  /** Levels of what is read, the coarsest first; `raw` where there is nothing. */
  readonly levels: readonly Level[];
  /**
   * Two snapshots of the same store and range that have one version have the same rows, the same missing blocks and the
   * same levels. undefined: nobody can tell.
   */
  readonly version: string | undefined;
  /** Parts whose samples `from("samples")` lacks: their sums are to be added. undefined: none. */
  readonly remote: RemoteSamples | undefined;
  /** Lets blocks and head rows of this moment go. A second call does nothing. */
  release(): void;
}
