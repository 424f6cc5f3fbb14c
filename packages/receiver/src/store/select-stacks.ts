import { checkInt64, settleBoth } from "./remote-engine.ts";
import type { IdLists } from "./result-columns.ts";
import type { SampleFilter } from "./select-filter.ts";
import { sampleCondition } from "./select-filter.ts";
import { inIds, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import type { RemoteSamples, Snapshot } from "./snapshot.ts";

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
  if (snapshot.remote !== undefined)
    return await selectRemoteStacks(snapshot, snapshot.remote, filter, signal);
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

/** Counts the stacks that have samples. */
export async function selectStackCount(
  snapshot: Snapshot,
  filter: SampleFilter,
  signal?: AbortSignal,
): Promise<number> {
  const used = await selectUsedStacks(snapshot, filter, signal);
  const query = sql`SELECT count(*) AS stacks FROM (${used})`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return Number(rows.bigints("stacks")[0]);
}

/** Counts the stacks that have samples, and their frames, without reading values. */
export async function selectStackSize(
  snapshot: Snapshot,
  filter: SampleFilter,
  signal?: AbortSignal,
): Promise<StackSize> {
  const used = await selectUsedStacks(snapshot, filter, signal);
  const query = sql`
    WITH used AS MATERIALIZED (${used}), depths AS (
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

/** Stacks that have samples, each once, as a query with the column `stack`. */
async function selectUsedStacks(
  snapshot: Snapshot,
  filter: SampleFilter,
  signal: AbortSignal | undefined,
): Promise<SqlFragment> {
  return snapshot.remote === undefined
    ? sql`SELECT DISTINCT stack FROM ${rawSql(snapshot.from("samples"))} WHERE ${sampleCondition(filter)}`
    : selectIds(await sumWithRemote(snapshot, snapshot.remote, filter, signal));
}

/** Ids as a query with the column `stack`. */
function selectIds(sums: ReadonlyMap<bigint, unknown>): SqlFragment {
  if (sums.size === 0) return rawSql("SELECT 0::UBIGINT AS stack WHERE false");
  return sql`SELECT CAST(unnest(string_split(${[...sums.keys()].join(",")}, ',')) AS UBIGINT) AS stack`;
}

/** Sums of an engine and of the parts that are here, put together, by stack. */
async function sumWithRemote(
  snapshot: Snapshot,
  { engine, parts }: RemoteSamples,
  filter: SampleFilter,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<bigint, bigint>> {
  const here = sql`SELECT stack, CAST(sum(value) AS VARCHAR) AS total FROM ${rawSql(snapshot.from("samples"))}
    WHERE ${sampleCondition(filter)} GROUP BY stack`;
  const [rows, there] = await settleBoth(
    snapshot.database.select(here.text, here.parameters, signal),
    engine.sumStacks(parts, filter, signal),
  );
  const totals = new Map<bigint, bigint>();
  const add = (stack: bigint, value: bigint): void => {
    totals.set(stack, (totals.get(stack) ?? 0n) + value);
  };
  const values = rows.texts("total");
  for (const [i, stack] of rows.ids("stack").entries()) add(stack, BigInt(values[i]!));
  for (const [stack, value] of there) add(stack, value);
  return totals;
}

async function selectRemoteStacks(
  snapshot: Snapshot,
  remote: RemoteSamples,
  filter: SampleFilter,
  signal: AbortSignal | undefined,
): Promise<StackRows> {
  const totals = await sumWithRemote(snapshot, remote, filter, signal);
  const stacks = BigUint64Array.from(totals.keys());
  const query = sql`SELECT stack, any_value(frames) AS frames FROM ${rawSql(snapshot.fromParts("stacks"))}
    WHERE ${inIds(rawSql("stack"), stacks)} GROUP BY stack`;
  const paths = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    stack: stacks,
    value: BigInt64Array.from(totals.values(), checkInt64),
    frames: reorderLists(paths.ids("stack"), paths.idLists("frames"), stacks),
  };
}

/** Lists by ids in the order of other ids; empty for those that have none. */
function reorderLists(ids: BigUint64Array, lists: IdLists, wanted: BigUint64Array): IdLists {
  const rowOf = new Map([...ids].map((id, row) => [id, row]));
  const start = new Uint32Array(wanted.length + 1);
  const items = new BigUint64Array(lists.items.length);
  let end = 0;
  wanted.forEach((id, i) => {
    const row = rowOf.get(id);
    if (row !== undefined) {
      const list = lists.items.subarray(lists.start[row], lists.start[row + 1]);
      items.set(list, end);
      end += list.length;
    }
    start[i + 1] = end;
  });
  return { start, items: items.subarray(0, end) };
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
