import type { OverheadStatus } from "./governor.ts";
import type { LabelMechanism } from "./labels/label-context.ts";
import type { ProfileTypeName } from "./options.ts";
import type { SourceMapStatus } from "./source-maps/source-maps.ts";
import type { UploadCounts } from "./upload-queue.ts";

/** How a flush ended. */
export interface FlushResult {
  /** True when the server has every window up to the call. */
  readonly ok: boolean;
  /** Windows that were not sent; after a flush they go on waiting, after a stop they are lost. */
  readonly waitingCount: number;
  /** Why, when not `ok`. */
  readonly error: string | undefined;
}

/** What became of the uploads of the current or last run. */
export interface UploadStatus extends UploadCounts {
  /** The message of the latest failure since an upload last arrived. */
  readonly lastError: string | undefined;
  readonly lastSentUnixMs: number | undefined;
}

/** What became of the uploads of one exporter. */
export interface ExporterStatus extends UploadStatus {
  /** `pyroscope`, `otlp`, `file`, or the name of one of the program's own. */
  readonly name: string;
}

/** What the SDK does now. */
export interface PyroscopeStatus {
  readonly state: "off" | "running" | "stopping";
  /** Of the current or last run; undefined before the first start. */
  readonly applicationName: string | undefined;
  /** Where its profiles go, without credentials. */
  readonly serverAddress: string | undefined;
  /** What records: the native profiler, or the inspector where that cannot be loaded. Undefined while nothing runs. */
  readonly backend: "native" | "inspector" | undefined;
  /** What is profiled now. */
  readonly profileTypes: readonly ProfileTypeName[];
  /** How labels follow asynchronous work on this Node. */
  readonly labelMechanism: LabelMechanism;
  /** Of all exporters together; undefined before the first start. */
  readonly uploads: UploadStatus | undefined;
  /** Of each exporter; empty before the first start. */
  readonly exporters: readonly ExporterStatus[];
  /** What profiling costs; undefined before the first start. */
  readonly overhead: OverheadStatus | undefined;
  /** Undefined before the first start and with `sourceMaps: false`. */
  readonly sourceMaps: SourceMapStatus | undefined;
  /** The latest warnings, oldest first. */
  readonly warnings: readonly string[];
}
