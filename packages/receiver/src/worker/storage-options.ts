import type { LogLevel } from "../config.ts";
import type { QueryLimits } from "../query/query-service.ts";

/** What the storage thread is started with. Survives `structuredClone`; holds no secret. */
export interface StorageOptions {
  /** The data directory. */
  readonly directory: string;
  /** 0: nothing is deleted for its age. */
  readonly retentionMs: number;
  readonly queryLimits: QueryLimits;
  readonly logLevel: LogLevel;
}
