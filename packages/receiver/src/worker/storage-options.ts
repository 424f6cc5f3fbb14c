import type { LogLevel } from "../config.ts";
import type { QueryLimits } from "../query/query-service.ts";
import type { Level, RollUpLevel } from "../store/level.ts";

/** How long and how much is kept, and what of it in coarser form. */
interface StorageRetention {
  /** 0: nothing is deleted for its age. */
  readonly retentionMs: number;
  /** Of levels that have their own. */
  readonly levelMs: Readonly<Partial<Record<Level, number>>>;
  /** Bytes; 0: no limit. */
  readonly maxBytes: number;
  readonly maxTenantBytes: number;
  readonly rollUpLevels: readonly RollUpLevel[];
  /** Stacks of one profile of a roll-up; 0: no limit. */
  readonly maxNodes: number;
}

/** What the storage thread is started with. Survives `structuredClone`; holds no secret. */
export interface StorageOptions {
  /** The data directory. */
  readonly directory: string;
  readonly retention: StorageRetention;
  readonly queryLimits: QueryLimits;
  readonly logLevel: LogLevel;
}
