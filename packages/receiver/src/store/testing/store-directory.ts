import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../clock.ts";
import { openStore } from "../local-store.ts";
import { nodeFs } from "../node-fs.ts";
import type { Snapshot, SnapshotRange } from "../snapshot.ts";
import type { Store } from "../store.ts";
import type { StoreOptions } from "../store-options.ts";
import { expandPlain } from "./plain-profile.ts";

/** A data directory of one test, with stores that are closed with it. */
export class StoreDirectory {
  readonly path: string;
  /** What stores of it logged. */
  readonly lines: string[] = [];
  readonly #stores: Store[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<StoreDirectory> {
    return new StoreDirectory(await mkdtemp(join(tmpdir(), "pyroscope-store-")));
  }

  /** Another directory with the same blocks; nothing else of this one, and none of its stores may be open. */
  async copy(): Promise<StoreDirectory> {
    const copy = await StoreDirectory.create();
    await cp(join(this.path, "blocks"), join(copy.path, "blocks"), { recursive: true });
    return copy;
  }

  /** Opens a store over {@link PlainProfile}s. */
  async open(options: Partial<StoreOptions> = {}): Promise<Store> {
    const store = await openStore({
      directory: this.path,
      fs: nodeFs,
      clock: systemClock,
      expand: expandPlain,
      retentionMillis: 0,
      log: (line) => this.lines.push(line),
      ...options,
      // Most tests are about raw blocks; those of roll-ups say which levels.
      compaction: { rollUpLevels: [], ...options.compaction },
    });
    this.#stores.push(store);
    return store;
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close();
    await rm(this.path, { recursive: true, force: true });
  }
}

/** The widest range of one tenant. */
export function everything(...tenants: readonly string[]): SnapshotRange {
  return { tenants, fromUnixNanos: -(2n ** 62n), untilUnixNanos: 2n ** 62n };
}

/** Runs a query over a snapshot of everything and releases it. */
export async function withSnapshot<T>(
  store: Store,
  range: SnapshotRange,
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const snapshot = await store.snapshot(range);
  try {
    return await use(snapshot);
  } finally {
    snapshot.release();
  }
}

/** What a tenant has: sum of values, of totals, rows of samples, and profiles. */
export interface Sums {
  readonly value: bigint;
  readonly total: bigint;
  readonly samples: bigint;
  readonly profiles: bigint;
}

/** Sums over everything a tenant has. */
export async function sumAll(store: Store, tenant: string): Promise<Sums> {
  return await withSnapshot(store, everything(tenant), async ({ database, from }) => {
    const result = await database.select(
      `SELECT (SELECT coalesce(sum(value), 0)::BIGINT FROM ${from("samples")}) AS "value",
 (SELECT count(*) FROM ${from("samples")}) AS samples,
 (SELECT coalesce(sum(total), 0)::BIGINT FROM ${from("totals")}) AS total,
 (SELECT coalesce(sum(profiles), 0)::BIGINT FROM ${from("totals")}) AS profiles`,
    );
    return {
      value: result.bigints("value")[0]!,
      total: result.bigints("total")[0]!,
      samples: result.bigints("samples")[0]!,
      profiles: result.bigints("profiles")[0]!,
    };
  });
}

/** Lines `root;…;leaf value`, in order, with the names of the frames looked up. */
export async function foldStacks(store: Store, tenant: string): Promise<readonly string[]> {
  return await withSnapshot(store, everything(tenant), async ({ database, from }) => {
    const result = await database.select(
      `WITH sums AS (SELECT stack, sum(value)::BIGINT AS "value" FROM ${from("samples")} GROUP BY stack),
 places AS (SELECT stack, "value", unnest(frames) AS frame, generate_subscripts(frames, 1) AS place
  FROM sums JOIN ${from("stacks")} USING (stack))
 SELECT string_agg("function", ';' ORDER BY place) || ' ' || any_value("value") AS line
 FROM places JOIN ${from("frames")} USING (frame) GROUP BY stack ORDER BY line`,
    );
    return result.texts("line");
  });
}
