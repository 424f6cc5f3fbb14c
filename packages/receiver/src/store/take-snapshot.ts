import { createHash } from "node:crypto";
import { ReceiverError } from "../errors.ts";
import type { Block } from "./block.ts";
import { type BlockPart, coverRange } from "./block-cover.ts";
import { tableBytes } from "./block-meta.ts";
import type { Catalog } from "./catalog.ts";
import type { Database } from "./database.ts";
import type { Deletions } from "./deletions.ts";
import { groupBy } from "./group-by.ts";
import type { Head } from "./head.ts";
import type { GenerationTenant } from "./head-generation.ts";
import type { HeadSelection } from "./head-schema.ts";
import type { HeadSlot } from "./head-slot.ts";
import { inTurns } from "./in-turns.ts";
import { LEVELS, type Level } from "./level.ts";
import type { Quarantine, QuarantinedBlock } from "./quarantine.ts";
import type { RemoteEngine } from "./remote-engine.ts";
import { TABLE_NAMES, type TableName } from "./schema.ts";
import type { RemoteSamples, Snapshot, SnapshotRange } from "./snapshot.ts";
import { distinctSql, unionSql } from "./snapshot-sql.ts";

/** What a snapshot is taken of. */
export interface SnapshotSources {
  /** What the snapshot's queries run on. */
  readonly queries: Database;
  readonly catalog: Catalog;
  readonly head: Pick<Head, "slots">;
  readonly quarantine: Pick<Quarantine, "blocks">;
  readonly deletions: Pick<Deletions, "hiddenIn" | "hiddenInHead">;
  /** undefined: nothing is read but by this process. */
  readonly remote?: RemoteReader | undefined;
}

/** An engine, and which blocks it can read. */
interface RemoteReader {
  readonly engine: RemoteEngine;
  /** Whether each file of the block is an object of a bucket. */
  isReachable(block: Block): boolean;
}

const NANOS_PER_MILLI = 1_000_000n;

interface HeldHead {
  readonly slot: HeadSlot;
  readonly selection: HeadSelection;
  readonly tenants: readonly GenerationTenant[];
}

/**
 * Verifies the blocks in the range that were not verified since the start, then holds head and blocks in one step.
 *
 * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when a block cannot be read now, which is no damage.
 */
export async function takeSnapshot(sources: SnapshotSources, range: SnapshotRange): Promise<Snapshot> {
  await sources.catalog.refresh(range);
  // Kept from its check until it is held: what is not read may be evicted.
  const kept = new Set<Block>();
  try {
    for (;;) {
      const parts = partsIn(sources.catalog, range);
      const blocks = parts.map(({ block }) => block);
      const unverified = blocks.filter((block) => !block.isVerified(wantedOf(sources, range, block)));
      const uncounted = sources.catalog.uncounted(blocks);
      // No await between this look and the hold: a flush moves rows from the head to a block meanwhile.
      if (unverified.length === 0 && uncounted.length === 0) return hold(sources, range);
      for (const block of [...unverified, ...uncounted]) {
        if (kept.has(block)) continue;
        kept.add(block);
        block.retain();
      }
      const byTables = groupBy(unverified, (block) => wantedOf(sources, range, block).join());
      for (const group of byTables.values()) {
        await verifyAll(sources.catalog, group, wantedOf(sources, range, group[0]!));
      }
      await sources.catalog.countRepeats(uncounted);
    }
  } finally {
    for (const block of kept) block.release();
  }
}

/** Tables whose files must be here: samples that an engine sums up need not. */
function wantedOf(sources: SnapshotSources, range: SnapshotRange, block: Block): readonly TableName[] {
  const wanted = range.tables ?? TABLE_NAMES;
  return isRemote(sources, range, block) ? wanted.filter((table) => table !== "samples") : wanted;
}

/** Whether an engine sums up the samples of a block: all of them, since it does not know what does not count. */
function isRemote(
  { remote, deletions, catalog }: SnapshotSources,
  range: SnapshotRange,
  block: Block,
): boolean {
  return (
    range.isSummed === true &&
    remote?.isReachable(block) === true &&
    deletions.hiddenIn(block).length === 0 &&
    catalog.repeatsOf(block) === undefined
  );
}

// As many files as are brought from a bucket at once.
const MAX_CHECKS = 8;

/** Checks files of blocks, several at once. @throws as {@link takeSnapshot}. */
export async function verifyAll(
  catalog: Catalog,
  blocks: readonly Block[],
  wanted: readonly TableName[],
): Promise<void> {
  await inTurns(blocks, MAX_CHECKS, (block) => verify(catalog, block, wanted));
}

async function verify(catalog: Catalog, block: Block, wanted: readonly TableName[]): Promise<void> {
  try {
    await catalog.verify(block, wanted);
  } catch (cause) {
    if (cause instanceof ReceiverError) throw cause;
    throw new ReceiverError(`read block ${block.meta.id}: ${String(cause)}`, {
      code: "STORAGE_UNAVAILABLE",
      cause,
    });
  }
}

/**
 * What {@link Snapshot.version} of a snapshot would be that is taken now, without reading a block; undefined when files must be
 * read to tell.
 */
export async function findVersion(
  sources: SnapshotSources,
  range: SnapshotRange,
): Promise<string | undefined> {
  await sources.catalog.refresh(range);
  const seen = look(sources, range);
  const blocks = seen.parts.map(({ block }) => block);
  return sources.catalog.uncounted(blocks).length > 0 ? undefined : versionOf(seen);
}

/** A part of a block, with what of it does not count at that moment: it changes while a query waits or runs. */
interface SeenPart extends BlockPart {
  readonly hiddenServices: readonly string[];
  readonly repeats: string | undefined;
}

/** What there is in a range at one moment. */
interface Seen {
  readonly heads: readonly HeldHead[];
  readonly parts: readonly SeenPart[];
  readonly missingBlocks: readonly string[];
}

function look({ catalog, head, quarantine, deletions }: SnapshotSources, range: SnapshotRange): Seen {
  const missing = quarantine.blocks.filter(
    (block) => range.tenants.includes(block.tenant) && inTime(block, range),
  );
  const replaced = withStandIns(missing, catalog);
  return {
    heads: head.slots.flatMap((slot) => selectHead(slot, range, deletions)),
    parts: partsIn(catalog, range).map((part) => ({
      ...part,
      hiddenServices: deletions.hiddenIn(part.block),
      repeats: catalog.repeatsOf(part.block),
    })),
    missingBlocks: missing.map(({ id }) => id).filter((id) => !replaced.has(id)),
  };
}

function countRows({ heads, parts }: Seen): Snapshot["rowCounts"] {
  const rows = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
  for (const { block } of parts) for (const table of TABLE_NAMES) rows[table] += block.meta.rows[table];
  for (const tenant of heads.flatMap(({ tenants }) => tenants)) {
    rows.samples += tenant.sampleCount;
    rows.totals += tenant.types.size * tenant.profileCount;
    rows.series += tenant.series.size;
    rows.stacks += tenant.stacks.size;
  }
  return rows;
}

/** Blocks do not change, and a tenant's rows in a generation only grow: their names and numbers say which rows there are. */
function versionOf({ heads, parts, missingBlocks }: Seen): string {
  const text = JSON.stringify([
    heads.map(({ selection: { prefix, hiddenServices }, tenants }) => [
      prefix,
      hiddenServices,
      tenants.map(({ number, profileCount }) => [number, profileCount]),
    ]),
    parts.map(({ block, ...part }) => [block.meta.id, part.ranges, part.hiddenServices, part.repeats]),
    missingBlocks,
  ]);
  return createHash("sha256").update(text).digest("base64");
}

function hold(sources: SnapshotSources, range: SnapshotRange): Snapshot {
  const { queries } = sources;
  const seen = look(sources, range);
  const { heads, parts, missingBlocks } = seen;
  const blocks = parts.map(({ block }) => block);
  for (const { slot } of heads) {
    slot.generation.publish();
    slot.retain();
  }
  for (const block of blocks) block.retain();
  let isReleased = false;
  const summed = parts.filter(({ block }) => isRemote(sources, range, block));
  const local = parts.filter((part) => !summed.includes(part));
  const partsOf = (table: Parameters<Snapshot["from"]>[0]): Parameters<typeof unionSql>[1] => ({
    heads: heads.map(({ selection }) => selection),
    files: (table === "samples" ? local : parts).map(({ block, ranges, hiddenServices, repeats }) => ({
      path: block.file(table),
      ...{ ranges, hiddenServices, repeats },
    })),
  });
  return {
    database: queries,
    from: (table) =>
      table === "samples" || table === "totals"
        ? unionSql(table, partsOf(table))
        : distinctSql(table, partsOf(table)),
    fromParts: (table) => unionSql(table, partsOf(table)),
    rowCounts: countRows(seen),
    blockSizes: blocks.map(({ meta }) => tableBytes(meta)),
    levels: levelsOf(blocks, heads.length > 0),
    remote: summed.length === 0 ? undefined : toRemote(sources, summed),
    missingBlocks,
    version: versionOf(seen),
    release: () => {
      if (isReleased) return;
      isReleased = true;
      for (const { slot } of heads) slot.release();
      for (const block of blocks) block.release();
    },
  };
}

function toRemote({ remote }: SnapshotSources, parts: readonly BlockPart[]): RemoteSamples | undefined {
  return (
    remote && {
      engine: remote.engine,
      parts: parts.map(({ block: { path }, ranges }) => ({ path, ranges })),
    }
  );
}

function selectHead(
  slot: HeadSlot,
  range: SnapshotRange,
  deletions: SnapshotSources["deletions"],
): readonly HeldHead[] {
  const { generation, flushedTenants } = slot;
  const tenants = [...new Set(range.tenants)]
    .filter((tenant) => !flushedTenants.has(tenant))
    .map((tenant) => generation.tenants.get(tenant))
    .filter((tenant) => tenant !== undefined)
    .filter((tenant) => isWanted(tenant, range));
  if (tenants.length === 0) return [];
  const { prefix, totalCount } = generation;
  // Tenants share the tables; what is hidden of one is not hidden of another.
  const groups = groupBy(tenants, ({ name }) => JSON.stringify(deletions.hiddenInHead(name)));
  return [...groups.values()].map((group) => ({
    slot,
    tenants: group,
    selection: {
      ...{ prefix, totalCount, tenants: group.map(({ number }) => number) },
      hiddenServices: deletions.hiddenInHead(group[0]!.name),
    },
  }));
}

function partsIn(catalog: Catalog, range: SnapshotRange): readonly BlockPart[] {
  const { fromUnixNanos, untilUnixNanos, level = "raw" } = range;
  const times = {
    from: Number(fromUnixNanos / NANOS_PER_MILLI),
    until: Number(untilUnixNanos / NANOS_PER_MILLI),
  };
  return [...new Set(range.tenants)].flatMap((tenant) =>
    coverRange(catalog.blocksOf(tenant), times, level).filter(
      ({ block: { meta } }) =>
        hasAny(new Set(meta.types), range.types) && hasAny(new Set(meta.services), range.services),
    ),
  );
}

/** Roll-ups that are set aside while all that they were made of is there: nothing is missing without them. */
function withStandIns(quarantined: readonly QuarantinedBlock[], catalog: Catalog): ReadonlySet<string> {
  const replaced = new Set<string>();
  // Those that are made of fewer blocks are of a finer level: what they replace is known first.
  const finestFirst = quarantined.toSorted((left, right) => sourceCount(left) - sourceCount(right));
  for (const { id, tenant, rolledUp = [] } of finestFirst) {
    const blocks = catalog.blocksOf(tenant);
    const present = new Set(blocks.flatMap(({ meta }) => [meta.id, ...meta.blocks, ...meta.rolledUp]));
    if (rolledUp.length > 0 && rolledUp.every((source) => present.has(source) || replaced.has(source))) {
      replaced.add(id);
    }
  }
  return replaced;
}

function sourceCount({ rolledUp = [] }: QuarantinedBlock): number {
  return rolledUp.length;
}

function levelsOf(blocks: readonly Block[], hasHead: boolean): readonly Level[] {
  const found = new Set(blocks.map(({ meta }) => meta.level));
  if (hasHead || found.size === 0) found.add("raw");
  return LEVELS.filter((level) => found.has(level)).toReversed();
}

function isWanted(tenant: GenerationTenant, range: SnapshotRange): boolean {
  return (
    inTime(tenant, range) && hasAny(tenant.types, range.types) && hasAny(tenant.services, range.services)
  );
}

function inTime(
  part: Pick<GenerationTenant, "minUnixNanos" | "maxUnixNanos">,
  range: SnapshotRange,
): boolean {
  return part.minUnixNanos <= range.untilUnixNanos && part.maxUnixNanos >= range.fromUnixNanos;
}

function hasAny(present: ReadonlySet<string>, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.some((value) => present.has(value));
}
