import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duckdb, quoteSql } from "../../store/duckdb.ts";
import { TABLE_NAMES, type TableName, tables } from "../../store/schema.ts";
import type { Snapshot, SnapshotRange } from "../../store/snapshot.ts";
import type { Store } from "../../store/store.ts";

/** A profile of one type, as a test writes it. */
interface TestProfile {
  /** Default `process_cpu:cpu:nanoseconds:cpu:nanoseconds`. */
  readonly type?: string;
  /** `service_name` is added when it lacks: `shop`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly timeUnixNanos: bigint;
  /** Values by stack, `;` between the frames, root first; see `parseTestFrame`. */
  readonly stacks: Readonly<Record<string, bigint | number>>;
  /** UUID; default: a new one. */
  readonly profile?: string;
  readonly spanId?: bigint;
  /** UUID. */
  readonly traceId?: string;
}

export const CPU_TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

/** A store whose rows a test writes itself: DuckDB tables with the columns of a block, no log and no blocks. */
export interface TableStore extends Pick<Store, "snapshot" | "stats" | "version"> {
  add(profiles: readonly TestProfile[]): Promise<void>;
  /** Ranges of the snapshots that were asked for, and how many of them are still held. */
  readonly snapshots: readonly SnapshotRange[];
  readonly heldCount: number;
  /** Blocks that every snapshot misses. */
  missingBlocks: readonly string[];
  /** What every snapshot says of its blocks. */
  blockSizes: Snapshot["blockSizes"];
  /** What every snapshot says of its rows. */
  rowCounts: Snapshot["rowCounts"];
  close(): Promise<void>;
}

/** Makes an empty store. Symbols and series stand in two parts, each row in both, as after a flush. */
export async function createTableStore(): Promise<TableStore> {
  const directory = await mkdtemp(join(tmpdir(), "table-store-"));
  const database = await Duckdb.open({
    path: join(directory, "test.duckdb"),
    directory,
    temporaryDirectory: join(directory, "tmp"),
    memoryLimitBytes: 256 * 1024 * 1024,
    threadCount: 2,
  });
  for (const name of TABLE_NAMES) {
    const columns = tables[name].columns.map(({ name: column, type }) => `${column} ${type}`);
    await database.run(`CREATE TABLE head.${name} (${columns.join(", ")})`);
  }
  const snapshots: SnapshotRange[] = [];
  let heldCount = 0;
  let profileCount = 0;

  const store: TableStore = {
    snapshots,
    blockSizes: [],
    rowCounts: { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 },
    missingBlocks: [],
    get heldCount() {
      return heldCount;
    },
    async add(profiles) {
      const rows = profiles.map((profile) => toRows(profile, ++profileCount));
      for (const name of TABLE_NAMES) {
        const values = [...new Set(rows.flatMap((row) => row[name]))];
        const known = `SELECT * FROM head.${name}`;
        const distinct = name === "samples" || name === "totals" ? "" : ` EXCEPT ${known}`;
        if (values.length > 0) {
          await database.run(
            `INSERT INTO head.${name} SELECT * FROM (VALUES ${values.join(", ")})${distinct}`,
          );
        }
      }
    },
    version: async () => undefined,
    async snapshot(range) {
      snapshots.push(range);
      heldCount++;
      return {
        database,
        from: (table) => `head.${table}`,
        fromParts: (table) => `(SELECT * FROM head.${table} UNION ALL SELECT * FROM head.${table})`,
        blockSizes: store.blockSizes,
        remote: undefined,
        levels: ["raw"],
        missingBlocks: store.missingBlocks,
        version: undefined,
        rowCounts: store.rowCounts,
        release: () => {
          heldCount--;
        },
      };
    },
    stats: async () => ({ dataIngested: profileCount > 0, oldestUnixMillis: 1, newestUnixMillis: 2 }),
    async close() {
      database.close();
      await rm(directory, { recursive: true });
    },
  };
  return store;
}

type TableRows = Readonly<Record<TableName, readonly string[]>>;

function toRows(input: TestProfile, number: number): TableRows {
  const type = input.type ?? CPU_TYPE;
  const labels = { service_name: "shop", __name__: type.split(":")[0]!, ...input.labels };
  const entries = Object.entries(labels).sort();
  const id = input.profile ?? `00000000-0000-0000-0000-${String(number).padStart(12, "0")}`;
  const series = ubigint(hash(JSON.stringify(entries)));
  const key = [
    quoteSql(type),
    quoteSql(labels.service_name),
    series,
    `make_timestamp_ns(${input.timeUnixNanos})`,
    `'${id}'::UUID`,
  ].join(", ");
  const stacks = Object.entries(input.stacks);
  const total = stacks.reduce((sum, [, value]) => sum + BigInt(value), 0n);
  const names = `[${entries.map(([name]) => quoteSql(name)).join(", ")}]`;
  const values = `[${entries.map(([, value]) => quoteSql(value)).join(", ")}]`;
  const span = input.spanId === undefined ? "NULL" : ubigint(input.spanId);
  const trace = input.traceId === undefined ? "NULL" : `'${input.traceId}'::UUID`;
  return {
    samples: stacks.map(
      ([stack, value]) => `(${key}, ${ubigint(hash(stack))}, ${value}::BIGINT, ${span}, ${trace})`,
    ),
    totals: [`(${key}, ${total}::BIGINT, ${stacks.length}, 1, 0::BIGINT, 0::BIGINT)`],
    series: [`(${quoteSql(type)}, ${quoteSql(labels.service_name)}, ${series}, map(${names}, ${values}))`],
    stacks: stacks.map(
      ([stack]) => `(${ubigint(hash(stack))}, [${splitStack(stack).map(frameId).join(", ")}])`,
    ),
    frames: stacks.flatMap(([stack]) => splitStack(stack).map((frame) => frameRow(frame))),
  };
}

function splitStack(stack: string): readonly string[] {
  return stack === "" ? [] : stack.split(";");
}

/** Parts of a frame: `fn`, `fn@file.js:12`, `~fn` inlined into the one before, `0x1f!/bin/app` an address alone. */
function parseTestFrame(text: string) {
  const address = /^0x([0-9a-f]+)!(.*)$/.exec(text);
  if (address !== null) return { address: BigInt(`0x${address[1]}`), mapping: address[2]!, function: "" };
  const [, tilde, name, file = "", line = "0"] = /^(~?)([^@]*)(?:@(.*):(\d+))?$/.exec(text)!;
  return { function: name!, file, line, inlined: tilde === "~" };
}

function frameRow(text: string): string {
  const frame = parseTestFrame(text);
  const isAddress = "address" in frame;
  return `(${[
    frameId(text),
    quoteSql(frame.function),
    quoteSql(frame.function === "" ? "" : `sys_${frame.function}`),
    quoteSql(isAddress ? "" : frame.file!),
    "0::BIGINT",
    `${isAddress ? 0 : frame.line}::BIGINT`,
    isAddress ? "false" : String(frame.inlined),
    quoteSql(isAddress ? frame.mapping! : "node"),
    quoteSql(isAddress ? "build-1" : ""),
    ubigint(isAddress ? frame.address! : 0n),
  ].join(", ")})`;
}

function frameId(text: string): string {
  return ubigint(hash(`frame ${text}`));
}

function ubigint(value: bigint): string {
  return `${value}::UBIGINT`;
}

function hash(text: string): bigint {
  return createHash("sha256").update(text).digest().readBigUInt64BE();
}
