import type { Matcher } from "@pyroscope-ts/protocol";
import { LEVELS, type Level } from "../store/level.ts";
import type { TableName } from "../store/schema.ts";
import type { ProfileFilter } from "../store/select-filter.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { QueryGate } from "./query-gate.ts";
import type { Answer, QueryOptions } from "./query-service.ts";
import { coarseFilter, resolveFilter } from "./series-filter.ts";
import type { TimeRange } from "./time-range.ts";

/** What a read will look at. */
export interface ReadPlan {
  readonly tenants: readonly string[];
  /** undefined: a range that is answered with nothing. */
  readonly range: TimeRange | undefined;
  readonly matchers: readonly Matcher[];
  /** Five parts; undefined: all types. */
  readonly profileType: string | undefined;
  readonly tables: readonly TableName[];
  /** The coarsest level that answers as well. */
  readonly level: Level;
}

/** What a read works with: all of it ends with the read. */
export interface ReadContext {
  readonly snapshot: Snapshot;
  readonly filter: ProfileFilter;
  readonly signal: AbortSignal;
}

/** Reads a snapshot of the store, when it is this query's turn. */
export class SnapshotReader {
  readonly #store: Pick<Store, "snapshot">;
  readonly #gate: QueryGate;

  constructor(store: Pick<Store, "snapshot">, gate: QueryGate) {
    this.#store = store;
    this.#gate = gate;
  }

  /** Answers `nothing` for an empty range, else what `work` makes of the series that the matchers leave. */
  async read<Value>(
    plan: ReadPlan,
    nothing: Value,
    work: (context: ReadContext) => Promise<Value>,
    options: QueryOptions | undefined,
  ): Promise<Answer<Value>> {
    const { range } = plan;
    if (range === undefined) return { value: nothing, missingBlocks: [], resolution: "raw" };
    return await this.#gate.run(
      (signal) => this.#readRange(plan, range, work, signal),
      plan.tenants.join("|"),
      options?.signal,
    );
  }

  async #readRange<Value>(
    plan: ReadPlan,
    range: TimeRange,
    work: (context: ReadContext) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Answer<Value>> {
    const coarse = coarseFilter(range, plan.matchers, plan.profileType);
    const { tenants, tables, level } = plan;
    const snapshot = await this.#store.snapshot({ ...coarse, tenants, tables, level });
    try {
      const filter = await resolveFilter(snapshot, coarse, plan.matchers, signal);
      const value = await work({ snapshot, filter, signal });
      return { value, missingBlocks: snapshot.missingBlocks, resolution: snapshot.levels.join(",") };
    } finally {
      snapshot.release();
    }
  }
}

/** What {@link Answer.resolution} is of several answers together. */
export function joinResolutions(resolutions: readonly string[]): string {
  const found = new Set(resolutions.flatMap((resolution) => resolution.split(",")));
  return LEVELS.filter((level) => found.has(level))
    .toReversed()
    .join(",");
}
