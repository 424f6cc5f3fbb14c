import type { LabelSet } from "@pyroscope-ts/protocol";
import type { Duckdb } from "./duckdb.ts";
import { FrameRows } from "./frame-rows.ts";
import { type HashedProfile, visitFrames } from "./hash-profile.ts";
import {
  createHeadTableSql,
  HEAD_TABLES,
  type HeadTable,
  headBufferRows,
  headColumns,
} from "./head-schema.ts";
import { IdentitySet } from "./identity-set.ts";
import { KeySet } from "./key-set.ts";
import type { ProfileRows, TypeRows } from "./profile-rows.ts";
import { RowBuffer } from "./row-buffer.ts";

// What a row takes in DuckDB's memory and here, measured over real profiles; stacks and frames by their size.
const SAMPLE_BYTES = 44;
const TOTAL_BYTES = 160;
const SERIES_BYTES = 400;
const STACK_BYTES = 40;
const FRAME_BYTES = 200;

/** What one tenant has in a generation. */
export interface GenerationTenant {
  readonly name: string;
  /** Its number in the column `tenant`. */
  readonly number: number;
  readonly identities: IdentitySet;
  readonly types: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Of the profiles' times, both inclusive. */
  readonly minUnixNanos: bigint;
  readonly maxUnixNanos: bigint;
  readonly sampleCount: number;
  readonly profileCount: number;
  /** Whether any sample has the id of a span or trace. */
  readonly hasSpans: boolean;
  readonly stacks: { readonly size: number };
  readonly series: { readonly size: number };
}

interface TenantState {
  readonly name: string;
  readonly number: number;
  readonly identities: IdentitySet;
  readonly types: Set<string>;
  readonly services: Set<string>;
  readonly stacks: KeySet;
  readonly frames: KeySet;
  readonly series: Set<string>;
  minUnixNanos: bigint;
  maxUnixNanos: bigint;
  sampleCount: number;
  profileCount: number;
  hasSpans: boolean;
}

/**
 * Profiles in memory that will become blocks together: one for each tenant. Rows are only added. What is added by
 * {@link HeadGeneration.insert} is seen by queries after {@link HeadGeneration.publish}.
 */
export class HeadGeneration {
  /** What its tables are called: `<prefix>_samples`. */
  readonly prefix: string;
  readonly #database: Duckdb;
  readonly #buffers: Readonly<Record<HeadTable, RowBuffer>>;
  readonly #frames: FrameRows;
  readonly #tenants = new Map<string, TenantState>();
  #totalCount = 0;
  #sampleCount = 0;
  #bytes = 0;

  private constructor(database: Duckdb, prefix: string, buffers: Readonly<Record<HeadTable, RowBuffer>>) {
    this.#database = database;
    this.prefix = prefix;
    this.#buffers = buffers;
    this.#frames = new FrameRows(buffers.frames);
  }

  /** Makes the tables of a new generation. */
  static async create(database: Duckdb, number: number): Promise<HeadGeneration> {
    const prefix = `g${number}`;
    const buffers = await Promise.all(
      HEAD_TABLES.map(async (table) => {
        const types = headColumns[table].map(([, type]) => type);
        await database.run(createHeadTableSql(prefix, table));
        const appender = await database.createAppender(`${prefix}_${table}`, types);
        return [table, new RowBuffer(appender, types, headBufferRows[table])] as const;
      }),
    );
    return new HeadGeneration(database, prefix, Object.fromEntries(buffers) as Record<HeadTable, RowBuffer>);
  }

  get tenants(): ReadonlyMap<string, GenerationTenant> {
    return this.#tenants;
  }

  /** Rows of samples. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Rows of totals: a query sees those below the count at its begin. */
  get totalCount(): number {
    return this.#totalCount;
  }

  /** Estimate of the memory that the rows take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the rows of a profile, and its series, stacks and frames where they are new. Its identity must be new. */
  insert(tenantName: string, rows: ProfileRows): void {
    const tenant = this.#tenantOf(tenantName);
    const { admitted } = rows;
    tenant.identities.add(admitted.identity);
    tenant.profileCount++;
    if (admitted.timeUnixNanos < tenant.minUnixNanos) tenant.minUnixNanos = admitted.timeUnixNanos;
    if (admitted.timeUnixNanos > tenant.maxUnixNanos) tenant.maxUnixNanos = admitted.timeUnixNanos;
    tenant.services.add(rows.service);
    if (admitted.spanIds !== undefined || admitted.traceIds !== undefined) tenant.hasSpans = true;
    for (const typeRows of rows.types) {
      tenant.types.add(typeRows.type);
      this.#addSeries(tenant, typeRows.type, rows);
      this.#addSamples(tenant, typeRows, rows);
      this.#addTotal(tenant, typeRows, rows);
    }
  }

  /** Makes everything inserted so far visible to queries that begin now. */
  publish(): void {
    // Symbols first: a query may find more of them than it needs, never fewer.
    for (const table of ["frames", "stacks", "series", "samples", "totals"] as const)
      this.#buffers[table].flush();
  }

  /** Drops the tables. No query may look at them any more. */
  async drop(): Promise<void> {
    for (const table of HEAD_TABLES) {
      this.#buffers[table].close();
      await this.#database.run(`DROP TABLE head.${this.prefix}_${table}`);
    }
  }

  #tenantOf(name: string): TenantState {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      tenant = {
        name,
        number: this.#tenants.size,
        identities: new IdentitySet(),
        types: new Set(),
        services: new Set(),
        stacks: new KeySet(),
        frames: new KeySet(),
        series: new Set(),
        minUnixNanos: 2n ** 63n - 1n,
        maxUnixNanos: -(2n ** 63n),
        sampleCount: 0,
        profileCount: 0,
        hasSpans: false,
      };
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }

  #addSeries(tenant: TenantState, type: string, { series, service, admitted }: ProfileRows): void {
    const key = `${series} ${type}`;
    if (tenant.series.has(key)) return;
    tenant.series.add(key);
    const buffer = this.#buffers.series;
    buffer.fixed(0).lanes[buffer.row] = tenant.number;
    buffer.texts(1).push(type);
    buffer.texts(2).push(service);
    buffer.fixed(3).uint64[buffer.row] = series;
    pushLabels(buffer, admitted.labels);
    buffer.endRow();
    this.#bytes += SERIES_BYTES;
  }

  #addTotal(tenant: TenantState, { type, group, total }: TypeRows, rows: ProfileRows): void {
    const buffer = this.#buffers.totals;
    const { row } = buffer;
    const { admitted, service, series } = rows;
    buffer.fixed(0).lanes[row] = this.#totalCount;
    buffer.fixed(1).lanes[row] = tenant.number;
    buffer.texts(2).push(type);
    buffer.texts(3).push(service);
    buffer.fixed(4).uint64[row] = series;
    buffer.fixed(5).int64[row] = admitted.timeUnixNanos;
    buffer.fixed(6).uint64[2 * row] = admitted.identity.lo;
    buffer.fixed(6).uint64[2 * row + 1] = admitted.identity.hi;
    buffer.fixed(7).int64[row] = total;
    buffer.fixed(8).lanes[row] = group.length;
    buffer.fixed(9).int64[row] = admitted.profile.durationNanos;
    buffer.fixed(10).int64[row] = admitted.profile.period;
    buffer.endRow();
    this.#totalCount++;
    this.#bytes += TOTAL_BYTES;
  }

  #addSamples(tenant: TenantState, { group, value }: TypeRows, rows: ProfileRows): void {
    const { hashed, groups } = rows;
    const { stacks } = hashed;
    for (let i = 0; i < group.length; i++) {
      const sample = groups.sample[group[i]!]!;
      const lo = stacks[2 * sample]!;
      const hi = stacks[2 * sample + 1]!;
      if (tenant.stacks.add(lo, hi)) this.#addStack(tenant, hashed, sample, lo, hi);
    }
    const buffer = this.#buffers.samples;
    for (let from = 0; from < group.length; ) {
      const until = Math.min(group.length, from + buffer.room);
      const row = buffer.row;
      buffer.fixed(0).lanes.fill(this.#totalCount, row, row + until - from);
      copyIds(buffer.fixed(1).lanes, row, stacks, groups.sample, group, from, until);
      const values = buffer.fixed(2).int64;
      values.set(value.subarray(from, until), row);
      this.#addIds(buffer, rows, group, from, until);
      buffer.endRows(until - from);
      from = until;
    }
    tenant.sampleCount += group.length;
    this.#sampleCount += group.length;
    this.#bytes += group.length * SAMPLE_BYTES;
  }

  /** Span and trace ids of some rows of samples, from the row on that is being written. */
  #addIds(buffer: RowBuffer, rows: ProfileRows, group: Uint32Array, from: number, until: number): void {
    const { row } = buffer;
    const { groups, admitted } = rows;
    const spans = buffer.fixed(3).lanes;
    const traces = buffer.fixed(4).lanes;
    const spanLanes = lanesOf(admitted.spanIds);
    const traceLanes = lanesOf(admitted.traceIds);
    if (spanLanes === undefined) spans.fill(0, 2 * row, 2 * (row + until - from));
    else copyIds(spans, row, spanLanes, groups.position, group, from, until);
    if (traceLanes === undefined) {
      traces.fill(0, 4 * row, 4 * (row + until - from));
      return;
    }
    for (let i = from, to = 4 * row; i < until; i++, to += 4) {
      const at = 4 * groups.position[group[i]!]!;
      // A trace comes high half first and goes low half first.
      traces[to] = traceLanes[at + 2]!;
      traces[to + 1] = traceLanes[at + 3]!;
      traces[to + 2] = traceLanes[at]!;
      traces[to + 3] = traceLanes[at + 1]!;
    }
  }

  #addStack(tenant: TenantState, hashed: HashedProfile, sample: number, lo: number, hi: number): void {
    const buffer = this.#buffers.stacks;
    const { row } = buffer;
    buffer.fixed(0).lanes[row] = tenant.number;
    buffer.fixed(1).lanes[2 * row] = lo;
    buffer.fixed(1).lanes[2 * row + 1] = hi;
    const list = buffer.idLists(2);
    let depth = 0;
    visitFrames(hashed, sample, (frameLo, frameHi, location, line) => {
      list.push(frameLo, frameHi);
      depth++;
      if (tenant.frames.add(frameLo, frameHi)) {
        this.#frames.add(tenant.number, hashed, location, line);
        this.#bytes += FRAME_BYTES;
      }
    });
    buffer.endRow();
    this.#bytes += STACK_BYTES + 8 * depth;
  }
}

function lanesOf(ids: BigUint64Array | undefined): Int32Array | undefined {
  return ids && new Int32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
}

/** Copies the ids of groups `from .. until`, each from the row of its first sample, to the rows from `row` on. */
function copyIds(
  to: Int32Array,
  row: number,
  ids: Int32Array,
  rowOfGroup: Uint32Array,
  group: Uint32Array,
  from: number,
  until: number,
): void {
  for (let i = from, at = 2 * row; i < until; i++, at += 2) {
    const source = 2 * rowOfGroup[group[i]!]!;
    to[at] = ids[source]!;
    to[at + 1] = ids[source + 1]!;
  }
}

function pushLabels(buffer: RowBuffer, labels: LabelSet): void {
  for (const { name, value } of labels) {
    buffer.textLists(4).push(name);
    buffer.textLists(5).push(value);
  }
}
