import type { Matcher } from "@pyroscope-ts/protocol";
import { LEVELS, type Level } from "../store/level.ts";
import type { TableName } from "../store/schema.ts";
import { selectHasProfile } from "../store/select-cost.ts";
import type { ProfileFilter } from "../store/select-filter.ts";
import type { Snapshot, SnapshotRange } from "../store/snapshot.ts";
import type { Store } from "../store/store.ts";
import { AnswerCache } from "./answer-cache.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { QueryGate } from "./query-gate.ts";
import { type Asked, formatQueryKeys, type QueryKeys } from "./query-key.ts";
import { checkMemory } from "./query-memory.ts";
import type { Answer, QueryOptions } from "./query-service.ts";
import { coarseFilter, resolveFilter } from "./series-filter.ts";
import { SharedRuns } from "./shared-runs.ts";
import { rangesBetween, type TimeRange } from "./time-range.ts";

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
  /** Whether samples are only summed up; see {@link SnapshotRange.isSummed}. */
  readonly isSummed?: boolean;
}

/** What a read works with: all of it ends with the read. */
export interface ReadContext {
  readonly snapshot: Snapshot;
  readonly filter: ProfileFilter;
  readonly signal: AbortSignal;
  /** What a query may take; 0: no limit. */
  readonly maxMemoryBytes: number;
  /**
   * Waits until there is that much memory for the query; what is taken is given back with the end of the read. Once for a
   * read: two that wait for a second part would wait for each other.
   *
   * @throws `ReceiverError` INVALID_ARGUMENT when it is more than a query may take.
   */
  reserve(bytes: number): Promise<void>;
}

/** How often answers were there, since the start. */
export interface ReaderStatus {
  readonly cachedAnswerBytes: number;
  readonly cacheHitCount: number;
  readonly cacheMissCount: number;
  /** Queries that got the answer of an equal one. */
  readonly joinedQueryCount: number;
}

/** Options of {@link SnapshotReader}. */
export interface SnapshotReaderOptions {
  readonly store: Pick<Store, "snapshot" | "version">;
  readonly gate: QueryGate;
  /** Bytes of answers that are kept; 0: none. */
  readonly cacheBytes: number;
  /** Bytes that all queries together may take; one that may take more has them alone. 0: no limit. */
  readonly memoryBytes: number;
}

/** Reads a snapshot of the store, when it is this query's turn, unless the answer is known. */
export class SnapshotReader {
  readonly #store: SnapshotReaderOptions["store"];
  readonly #gate: QueryGate;
  readonly #cache: AnswerCache;
  readonly #runs = new SharedRuns();
  readonly #memory: MemoryBudget;
  readonly #memoryBytes: number;

  constructor({ store, gate, cacheBytes, memoryBytes }: SnapshotReaderOptions) {
    this.#store = store;
    this.#gate = gate;
    this.#cache = new AnswerCache(cacheBytes);
    this.#memory = new MemoryBudget(memoryBytes);
    this.#memoryBytes = memoryBytes;
  }

  get status(): ReaderStatus {
    return {
      cachedAnswerBytes: this.#cache.bytes,
      cacheHitCount: this.#cache.hitCount,
      cacheMissCount: this.#cache.missCount,
      joinedQueryCount: this.#runs.joinedCount,
    };
  }

  /** Answers `nothing` for an empty range, else what `work` makes of the series that the matchers leave. */
  async read<Value>(
    plan: ReadPlan,
    asked: Asked,
    nothing: Value,
    work: (context: ReadContext) => Promise<Value>,
    options: QueryOptions | undefined,
  ): Promise<Answer<Value>> {
    const { range } = plan;
    if (range === undefined) return { value: nothing, missingBlocks: [], resolution: "raw" };
    const maxMemoryBytes = options?.limits?.maxQueryMemoryBytes ?? this.#memoryBytes;
    const keys = formatQueryKeys(plan, asked);
    const known = await this.#find(keys.exact, plan, range);
    const answer =
      known ??
      (await this.#runs.run(
        keys.exact,
        (signal, begin) =>
          this.#gate.run(
            async (running) => {
              begin();
              return (
                (await this.#find(keys.exact, plan, range)) ??
                (await this.#readRange(keys, plan, range, work, running, maxMemoryBytes))
              );
            },
            plan.tenants.join("|"),
            signal,
          ),
        options?.signal,
      ));
    // The key names the kind of answer.
    return answer as Answer<Value>;
  }

  /** The answer that a query would get that began now, if it is known. */
  async #find(key: string, plan: ReadPlan, range: TimeRange): Promise<Answer<unknown> | undefined> {
    if (!this.#cache.has(key)) return undefined;
    return this.#cache.get(key, await this.#store.version(toSnapshotRange(plan, range)));
  }

  async #readRange<Value>(
    keys: QueryKeys,
    plan: ReadPlan,
    range: TimeRange,
    work: (context: ReadContext) => Promise<Value>,
    signal: AbortSignal,
    maxMemoryBytes: number,
  ): Promise<Answer<unknown>> {
    const snapshot = await this.#store.snapshot(toSnapshotRange(plan, range));
    let giveBack = (): void => undefined;
    try {
      const coarse = coarseFilter(range, plan.matchers, plan.profileType);
      const near = this.#cache.near(keys, snapshot.version);
      if (near !== undefined && !(await hasProfileBetween(snapshot, coarse, near.range, range, signal)))
        return this.#cache.adopt(keys, range, snapshot.version, near);
      const filter = await resolveFilter(snapshot, coarse, plan.matchers, signal);
      const reserve = async (bytes: number): Promise<void> => {
        checkMemory(bytes, maxMemoryBytes);
        giveBack = await this.#memory.take(bytes, signal);
      };
      const value = await work({ snapshot, filter, signal, maxMemoryBytes, reserve });
      const { missingBlocks, levels, version } = snapshot;
      const answer = { value, missingBlocks, resolution: levels.join(",") };
      this.#cache.put(keys, range, version, answer);
      return answer;
    } finally {
      giveBack();
      snapshot.release();
    }
  }
}

/**
 * Whether one of two ranges has a profile that the other one lacks. Snapshots of one version have the same parts, so that each
 * has what the parts hold of the other range.
 */
async function hasProfileBetween(
  snapshot: Snapshot,
  coarse: ReturnType<typeof coarseFilter>,
  left: TimeRange,
  right: TimeRange,
  signal: AbortSignal,
): Promise<boolean> {
  return await selectHasProfile(snapshot, coarse, rangesBetween(left, right), signal);
}

function toSnapshotRange(
  { tenants, tables, level, isSummed, matchers, profileType }: ReadPlan,
  range: TimeRange,
): SnapshotRange {
  return { ...coarseFilter(range, matchers, profileType), tenants, tables, level, isSummed };
}

/** What {@link Answer.resolution} is of several answers together. */
export function joinResolutions(resolutions: readonly string[]): string {
  const found = new Set(resolutions.flatMap((resolution) => resolution.split(",")));
  return LEVELS.filter((level) => found.has(level))
    .toReversed()
    .join(",");
}
