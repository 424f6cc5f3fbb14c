import type { Profile } from "@pyroscope-ts/protocol";
import { mergeProfiles } from "@pyroscope-ts/protocol/profiler";
import type { TypedProfile } from "./profilers/profiler.ts";

/** The profiles of one type in a stretch of time, picked out of the windows that are pushed in the same time. */
export class Capture {
  readonly #type: TypedProfile["type"];
  readonly #profiles: Profile[] = [];

  constructor(type: TypedProfile["type"]) {
    this.#type = type;
  }

  /** Keeps `typed` when it is of its type. */
  add(typed: TypedProfile): void {
    if (typed.type === this.#type) this.#profiles.push(typed.profile);
  }

  /** All of them as one; undefined when there was no sample. */
  merge(): Profile | undefined {
    return this.#profiles.length === 0 ? undefined : mergeProfiles(this.#profiles);
  }
}
