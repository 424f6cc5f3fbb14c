import type { IdLists } from "./result-columns.ts";
import type { SampleFilter } from "./select-filter.ts";
import { sampleCondition } from "./select-filter.ts";
import { inIds, rawSql, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";

/** Distinct stacks and the exact sum of their samples. */
export interface StackRows {
  readonly stack: BigUint64Array;
  /** Parallel to `stack`. */
  readonly value: BigInt64Array;
  /** Ids of frames, root first; empty where the stack's own row is lost with a damaged block. */
  readonly frames: IdLists;
}

/**
 * Sums the samples of each stack.
 *
 * @throws `ReceiverError` OUT_OF_RANGE when the sum of one stack leaves int64.
 */
export async function selectStacks(
  snapshot: Snapshot,
  filter: SampleFilter,
  signal?: AbortSignal,
): Promise<StackRows> {
  // A stack has a row in each part that saw it: the join would multiply values without the second GROUP BY. The
  // outer join keeps the total exact where a stack has no row at all. sum() is 128 bits wide; the cast checks.
  const query = sql`
    WITH merged AS MATERIALIZED (
      SELECT stack, sum(value) AS total FROM ${rawSql(snapshot.from("samples"))}
      WHERE ${sampleCondition(filter)} GROUP BY stack
    ), paths AS (
      SELECT stack, any_value(frames) AS frames FROM ${rawSql(snapshot.fromParts("stacks"))}
      WHERE stack IN (SELECT stack FROM merged) GROUP BY stack
    )
    SELECT stack, CAST(total AS BIGINT) AS value, frames
    FROM merged LEFT JOIN paths USING (stack)`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return { stack: rows.ids("stack"), value: rows.bigints("value"), frames: rows.idLists("frames") };
}

/** How much {@link selectStacks} would give. */
export interface StackSize {
  readonly stackCount: number;
  /** Frames of all of them. */
  readonly frameCount: number;
}

/** Counts the stacks that have samples, without reading values or frames. */
export async function selectStackSize(
  snapshot: Snapshot,
  filter: SampleFilter,
  signal?: AbortSignal,
): Promise<StackSize> {
  const query = sql`
    WITH used AS MATERIALIZED (
      SELECT DISTINCT stack FROM ${rawSql(snapshot.from("samples"))} WHERE ${sampleCondition(filter)}
    ), depths AS (
      SELECT any_value(len(frames)) AS depth FROM ${rawSql(snapshot.fromParts("stacks"))}
      WHERE stack IN (SELECT stack FROM used) GROUP BY stack
    )
    SELECT (SELECT count(*) FROM used) AS stacks, (SELECT CAST(coalesce(sum(depth), 0) AS BIGINT) FROM depths) AS frames`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    stackCount: Number(rows.bigints("stacks")[0]),
    frameCount: Number(rows.bigints("frames")[0]),
  };
}

/** What a tree needs of frames; each asked frame at most once, in any order. */
export interface FrameNameRows {
  readonly frame: BigUint64Array;
  readonly function: readonly string[];
  readonly file: readonly string[];
  readonly line: BigInt64Array;
}

/** Everything known of frames; each asked frame at most once, in any order. */
export interface FrameRows extends FrameNameRows {
  readonly systemName: readonly string[];
  readonly startLine: BigInt64Array;
  /** 1: inlined into the frame before it on the stack. */
  readonly inlined: Uint8Array;
  readonly mapping: readonly string[];
  readonly buildId: readonly string[];
  readonly address: BigUint64Array;
}

/** Names and lines of the frames with these ids. */
export async function selectFrameNames(
  snapshot: Snapshot,
  frames: BigUint64Array,
  signal?: AbortSignal,
): Promise<FrameNameRows> {
  const query = sql`
    SELECT DISTINCT ON (frame) frame, function, file, line
    FROM ${rawSql(snapshot.fromParts("frames"))} WHERE ${inIds(rawSql("frame"), frames)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    frame: rows.ids("frame"),
    function: rows.texts("function"),
    file: rows.texts("file"),
    line: rows.bigints("line"),
  };
}

/** All columns of the frames with these ids. */
export async function selectFrames(
  snapshot: Snapshot,
  frames: BigUint64Array,
  signal?: AbortSignal,
): Promise<FrameRows> {
  const query = sql`
    SELECT DISTINCT ON (frame) frame, function, system_name, file, start_line, line, inlined, mapping, build_id, address
    FROM ${rawSql(snapshot.fromParts("frames"))} WHERE ${inIds(rawSql("frame"), frames)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    frame: rows.ids("frame"),
    function: rows.texts("function"),
    systemName: rows.texts("system_name"),
    file: rows.texts("file"),
    startLine: rows.bigints("start_line"),
    line: rows.bigints("line"),
    inlined: rows.booleans("inlined"),
    mapping: rows.texts("mapping"),
    buildId: rows.texts("build_id"),
    address: rows.ids("address"),
  };
}
