import { randomUUID } from "node:crypto";
import type { Profile } from "@pyroscope-ts/protocol";
import { Capture } from "./capture.ts";
import type { Clock } from "./clock.ts";
import type { SdkConfig } from "./config.ts";
import type { CostMeter } from "./cost-meter.ts";
import type { Delivery } from "./delivery.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { describeError } from "./errors.ts";
import { type EncodedProfile, encodeProfile } from "./exporters/encode-profile.ts";
import type { Helper, ProfileUpload, UploadProfile } from "./exporters/exporter.ts";
import type { Governor } from "./governor.ts";
import type { Label } from "./labels/label.ts";
import type { Recording, TypedProfile } from "./profilers/profiler.ts";
import type { Resource } from "./resource.ts";
import type { SourceMaps } from "./source-maps/source-maps.ts";
import { toLegacyNames } from "./transform/legacy-names.ts";
import { WindowConversion } from "./window-conversion.ts";

/** What conversions are built from. */
export interface ConversionsParts {
  readonly config: Pick<SdkConfig, "typeIds">;
  readonly helper: Helper;
  readonly resource: Resource;
  readonly sources: SourceMaps | undefined;
  readonly delivery: Delivery;
  readonly meter: CostMeter;
  readonly governor: Governor;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

/** Windows on their way from the profilers to the queue: converted one after the other, in the order they were taken. */
export class Conversions {
  readonly #parts: ConversionsParts;
  readonly #captures = new Set<Capture>();
  // Those that are to be pushed and not in the queue yet.
  readonly #windows = new Set<WindowConversion>();
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #observedMs: number;

  constructor(parts: ConversionsParts) {
    this.#parts = parts;
    this.#observedMs = parts.clock.nowMonotonicMs();
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Resolves when all that were added before are in the queue. Never rejects. */
  get done(): Promise<void> {
    return this.#last;
  }

  /**
   * @param mark - labels of these profiles beside those of all.
   * @param isLast - no window comes after it.
   */
  add(recordings: readonly Recording[], mark: readonly Label[], isLast = false): void {
    const { sources, delivery, diagnostics } = this.#parts;
    // Those that are on now: by the time of the conversion others may have begun.
    const captures = [...this.#captures];
    if (recordings.length === 0 || (!delivery.isPushing && captures.length === 0)) return;
    const window = new WindowConversion(recordings, sources, mark, isLast);
    if (delivery.isPushing) this.#windows.add(window);
    this.#count++;
    this.#last = this.#last
      .then(async () => {
        const uploads = await this.#createUploads(window, captures);
        this.#windows.delete(window);
        for (const upload of uploads) delivery.add(upload);
      })
      .catch((error: unknown) => {
        const message = `converting a window: ${describeError(error)}`;
        diagnostics.warnOnce(`convert:${message}`, message);
      })
      .finally(() => {
        this.#windows.delete(window);
        this.#count--;
      });
  }

  /**
   * What is added of one type from now until `until` resolves, as one profile of its own; undefined without a sample.
   *
   * @param cut - ends the window that is on: called at both moments.
   */
  async capture(
    type: TypedProfile["type"],
    until: Promise<void>,
    cut: () => void,
  ): Promise<Profile | undefined> {
    const capture = new Capture(type);
    cut();
    this.#captures.add(capture);
    try {
      await until;
      cut();
    } finally {
      this.#captures.delete(capture);
    }
    await this.#last;
    return capture.merge();
  }

  /** The uploads of all that are not in the queue yet, and of `recordings`: for a process that exits. */
  finish(recordings: readonly Recording[]): readonly ProfileUpload[] {
    if (recordings.length > 0) this.#windows.add(new WindowConversion(recordings, this.#parts.sources));
    return Array.from(this.#windows, (window) => this.#createUploadsAtOnce(window)).flat();
  }

  async #createUploads(
    window: WindowConversion,
    captures: readonly Capture[],
  ): Promise<readonly ProfileUpload[]> {
    const { helper, meter, delivery, resource } = this.#parts;
    const profiles: UploadProfile[] = [];
    let helperMs = 0;
    for (const typed of await window.convert(meter)) {
      for (const capture of captures) capture.add(typed);
      if (!delivery.isPushing) continue;
      const named = this.#rename(typed);
      const encoding = await meter.measure(() => helper.encode(named.profile));
      helperMs += encoding.cpuMs;
      profiles.push(...toUploadProfiles(named, encoding.parts));
    }
    this.#observeCost(helperMs);
    return window.toUploads(resource.labels, profiles);
  }

  #createUploadsAtOnce(window: WindowConversion): readonly ProfileUpload[] {
    const profiles = window.convertAtOnce().flatMap((typed) => {
      const named = this.#rename(typed);
      return toUploadProfiles(named, encodeProfile(named.profile));
    });
    return window.toUploads(this.#parts.resource.labels, profiles);
  }

  #observeCost(helperMs: number): void {
    const { clock, governor, meter } = this.#parts;
    const nowMs = clock.nowMonotonicMs();
    governor.observe(nowMs - this.#observedMs, meter.take(), helperMs);
    this.#observedMs = nowMs;
  }

  #rename(typed: TypedProfile): TypedProfile {
    return this.#parts.config.typeIds === "pyroscope-nodejs" ? toLegacyNames(typed, process.cwd()) : typed;
  }
}

function toUploadProfiles(
  { name, type }: TypedProfile,
  parts: readonly EncodedProfile[],
): readonly UploadProfile[] {
  return parts.map((part) => ({ ...part, name, type, id: randomUUID() }));
}
