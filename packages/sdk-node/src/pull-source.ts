import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Profile, ValueType } from "@pyroscope-ts/protocol";
import { encodePprof, ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { Agent } from "./agent.ts";
import type { Clock } from "./clock.ts";
import { describeError } from "./errors.ts";
import type { ProfileTypeName } from "./options.ts";

const compress = promisify(gzip);

/** What can be pulled: CPU time or wall time of the next seconds, or what is alive now. */
export type PullKind = "cpu" | "wall" | "heap";

/** A profile as gzipped pprof, or why there is none. */
export type PullResult =
  | { readonly ok: true; readonly pprof: Uint8Array }
  | { readonly ok: false; readonly reason: "off" | "busy" | "failed"; readonly message: string };

/** What a pull is made from. */
export interface PullSourceOptions {
  /** The agent of the run that is on. */
  readonly current: () => Agent | undefined;
  readonly clock: Clock;
}

const SAMPLE_TYPES: { readonly [K in PullKind]: ValueType } = {
  cpu: { type: "cpu", unit: "nanoseconds" },
  wall: { type: "wall", unit: "nanoseconds" },
  heap: { type: "inuse_space", unit: "bytes" },
};

const NEEDED_TYPES: { readonly [K in PullKind]: readonly ProfileTypeName[] } = {
  cpu: ["cpu"],
  wall: ["wall"],
  heap: ["inuse_objects", "inuse_space"],
};

/** Profiles for those who ask for them, beside the ones that are pushed; one of each kind at a time. */
export class PullSource {
  readonly #options: PullSourceOptions;
  readonly #busy = new Set<PullKind>();

  constructor(options: PullSourceOptions) {
    this.#options = options;
  }

  /**
   * One profile of `kind`: of the next `durationMs`, or until `signal` is aborted; of the heap, at once. Never rejects.
   */
  async pull(kind: PullKind, durationMs: number, signal: AbortSignal): Promise<PullResult> {
    const current = this.#options.current();
    if (current === undefined) return refuse("off", "profiling is off: call start()");
    const needed = NEEDED_TYPES[kind];
    if (!needed.some((type) => current.profileTypes.includes(type))) {
      return refuse("off", `${kind} is not profiled: profileTypes has none of ${needed.join(", ")}`);
    }
    if (this.#busy.has(kind)) return refuse("busy", `a ${kind} profile is being taken: one at a time`);
    this.#busy.add(kind);
    try {
      const profile = await this.#take(current, kind, durationMs, signal);
      return { ok: true, pprof: await compress(encodePprof(profile ?? emptyProfile(kind))) };
    } catch (error) {
      return refuse("failed", `taking a ${kind} profile: ${describeError(error)}`);
    } finally {
      this.#busy.delete(kind);
    }
  }

  #take(agent: Agent, kind: PullKind, durationMs: number, signal: AbortSignal): Promise<Profile | undefined> {
    if (kind === "heap") return agent.captureHeap();
    return agent.capture(kind, this.#wait(durationMs, signal));
  }

  async #wait(durationMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(durationMs, resolve);
      const end = (): void => {
        cancel();
        resolve();
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }
}

function refuse(reason: "off" | "busy" | "failed", message: string): PullResult {
  return { ok: false, reason, message };
}

/** The answer for a time in which nothing ran. */
function emptyProfile(kind: PullKind): Profile {
  return new ProfileBuilder({ sampleTypes: [SAMPLE_TYPES[kind]] }).build();
}
