import type { Profile } from "@pyroscope-ts/protocol";
import type { LabelContext } from "../labels/label-context.ts";
import type { ProfileTypeName } from "../options.ts";
import type { ScriptPosition, SourceLookup } from "../source-maps/script-position.ts";

/** One profile with what it is: `name` is the first part of Pyroscope's profile type id. */
export interface TypedProfile {
  readonly type: ProfileTypeName;
  readonly name: string;
  readonly profile: Profile;
}

/**
 * What a profiler recorded in one window, not yet converted. Taking it is the part that must happen at one
 * moment; converting is pure, may be spread over many turns of the event loop, and yields where it may pause.
 */
export interface Recording {
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
  /** Resolves when there is something to convert, where the profiler tells that later. Never rejects. */
  readonly ready?: Promise<void>;
  /** What {@link Recording.convert} can show in its source, where something is known of that. */
  readonly positions?: () => Generator<void, readonly ScriptPosition[]>;
  /**
   * Profiles with at least one sample.
   *
   * @param window - the profiles of the recordings before this one in the same window.
   */
  readonly convert: (
    sources?: SourceLookup,
    window?: readonly TypedProfile[],
  ) => Generator<void, readonly TypedProfile[]>;
}

/** Records without pause from `start` to `stop`; each `collect` ends one window and begins the next. */
export interface Profiler {
  /** What it records. */
  readonly types: readonly ProfileTypeName[];
  /** @throws {@link SdkError} `NATIVE_UNAVAILABLE` or `PROFILER_FAILED` when it cannot run here. */
  start(): void;
  /**
   * Undefined when there is nothing to record for now.
   *
   * @throws {@link SdkError} `PROFILER_FAILED` when the window is lost; the profiler goes on where it can.
   */
  collect(): Recording | undefined;
  /** The last window. A profiler that does not run gives undefined. */
  stop(): Recording | undefined;
}

/** A profiler of CPU and wall time. */
export interface TimeProfiler extends Profiler {
  /** From the next window on, where the profiler can. */
  setSampleRate?(hz: number): void;
  /** How labels reach its samples now; another object after the profiler had to be made anew. */
  readonly labels: LabelContext;
}
