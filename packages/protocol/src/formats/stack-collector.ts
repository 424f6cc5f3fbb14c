import type { LocationIndex, Profile } from "../profile/profile.ts";
import { ProfileBuilder, type ProfileHeader } from "../profile/profile-builder.ts";
import { checkFormatLimit, type FormatLimits } from "./format-limits.ts";

/** What the values of stacks mean that say nothing about it themselves. */
export interface StackHeader extends Omit<ProfileHeader, "sampleTypes"> {
  readonly sampleType: ProfileHeader["sampleTypes"][number];
  /** Each value counts this often: nanoseconds of one sample, for example. 1 when not given. */
  readonly scale?: bigint;
}

/** A frame by its texts. */
export interface StackFrame {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
}

/** Collects stacks of names into a profile of one sample type, within limits. */
export class StackCollector {
  readonly #builder: ProfileBuilder;
  readonly #limits: FormatLimits;
  readonly #scale: bigint;
  readonly #locationOfName = new Map<string, LocationIndex>();
  #nameChars = 0;
  #frameCount = 0;

  constructor({ sampleType, scale = 1n, ...header }: StackHeader, limits: FormatLimits) {
    this.#builder = new ProfileBuilder({ ...header, sampleTypes: [sampleType] });
    this.#limits = limits;
    this.#scale = scale;
  }

  /** Throws ProtocolError `FORMAT_LIMIT` for a line of too many frames, before any of them is made. */
  checkLine(frameCount: number): void {
    checkFormatLimit(this.#limits, "maxLineFrames", frameCount);
  }

  /** The location of a frame that is known by its name alone. */
  locationOf(name: string): LocationIndex {
    const known = this.#locationOfName.get(name);
    if (known !== undefined) return known;
    const location = this.addFrame({ name });
    this.#locationOfName.set(name, location);
    return location;
  }

  /** The location of a frame. */
  addFrame({ name, file = "", line = 0 }: StackFrame): LocationIndex {
    this.#nameChars += name.length + file.length;
    checkFormatLimit(this.#limits, "maxNameChars", this.#nameChars);
    return this.#builder.location({ lines: [{ function: this.#builder.function({ name, file }), line }] });
  }

  /**
   * Adds to the value of a stack.
   *
   * @param locations - root first; the array may be used again.
   * @throws ProtocolError `FORMAT_LIMIT`; `PROFILE_OVERFLOW` when a scaled value or a sum leaves int64.
   */
  addStack(locations: readonly LocationIndex[], value: bigint): void {
    // A stack that was seen and never counted has nothing to store.
    if (value === 0n) return;
    this.#frameCount += locations.length;
    checkFormatLimit(this.#limits, "maxFrames", this.#frameCount);
    this.#builder.addSample(locations.toReversed(), [value * this.#scale]);
    checkFormatLimit(this.#limits, "maxSamples", this.#builder.sampleCount);
  }

  build(): Profile {
    return this.#builder.build();
  }
}
