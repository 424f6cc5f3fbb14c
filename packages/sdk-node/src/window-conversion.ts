import type { CostMeter } from "./cost-meter.ts";
import { SERVER_LIMITS } from "./exporters/encode-profile.ts";
import type { ProfileUpload, UploadProfile } from "./exporters/exporter.ts";
import type { Label } from "./labels/label.ts";
import type { Recording, TypedProfile } from "./profilers/profiler.ts";
import { runAtOnce, runInSlices } from "./profilers/slices.ts";
import type { ScriptPosition } from "./source-maps/script-position.ts";
import type { SourceMaps } from "./source-maps/source-maps.ts";

// A process that exits waits that long for source maps that no window before needed.
const MAX_MAPPING_MS = 300;

/**
 * The recordings of one window on their way to profiles. When the process ends in between, what is left of the way
 * can be gone at once.
 */
export class WindowConversion {
  readonly #recordings: readonly Recording[];
  readonly #sources: SourceMaps | undefined;
  readonly #work: Generator<void, readonly TypedProfile[]>;
  readonly #mark: readonly Label[];
  readonly #isLast: boolean;
  #profiles: readonly TypedProfile[] | undefined;

  /**
   * @param mark - labels of these profiles beside those of all.
   * @param isLast - source maps may be read on this thread, where there is no other one for them.
   */
  constructor(
    recordings: readonly Recording[],
    sources: SourceMaps | undefined,
    mark: readonly Label[] = [],
    isLast = false,
  ) {
    this.#isLast = isLast;
    this.#recordings = recordings;
    this.#mark = mark;
    this.#sources = sources;
    this.#work = convertAll(recordings, sources);
  }

  /** Leaves the event loop free for others in between. */
  async convert(meter?: CostMeter): Promise<readonly TypedProfile[]> {
    await Promise.all(this.#recordings.map(({ ready }) => ready));
    if (this.#sources !== undefined) {
      const positions = await runInSlices(collectPositions(this.#recordings), meter);
      if (this.#isLast && !this.#sources.hasThread) this.#sources.resolveAtOnce(positions, MAX_MAPPING_MS);
      else await this.#sources.resolve(positions);
    }
    this.#profiles ??= await runInSlices(this.#work, meter);
    return this.#profiles;
  }

  convertAtOnce(): readonly TypedProfile[] {
    this.#sources?.resolveAtOnce(runAtOnce(collectPositions(this.#recordings)), MAX_MAPPING_MS);
    this.#profiles ??= runAtOnce(this.#work);
    return this.#profiles;
  }

  /** One upload with all profiles, or as many as it takes for servers to take each at once; none without profiles. */
  toUploads(labels: readonly Label[], profiles: readonly UploadProfile[]): readonly ProfileUpload[] {
    const starts = this.#recordings.map(({ startUnixNanos }) => Number(startUnixNanos / 1_000_000n));
    const ends = this.#recordings.map(({ startUnixNanos, durationNanos }) =>
      Number((startUnixNanos + durationNanos) / 1_000_000n),
    );
    const times = { startUnixMs: Math.min(...starts), endUnixMs: Math.max(...ends) };
    return pack(profiles).map((packed) => ({
      ...times,
      labels: [...labels, ...this.#mark],
      profiles: packed,
    }));
  }
}

function pack(profiles: readonly UploadProfile[]): readonly (readonly UploadProfile[])[] {
  const packs: UploadProfile[][] = [];
  let room = 0;
  for (const profile of profiles) {
    if (profile.rawBytes > room) {
      packs.push([]);
      room = SERVER_LIMITS.maxBytes;
    }
    packs.at(-1)?.push(profile);
    room -= profile.rawBytes;
  }
  return packs;
}

function* collectPositions(recordings: readonly Recording[]): Generator<void, readonly ScriptPosition[]> {
  const positions: ScriptPosition[] = [];
  for (const { positions: collect } of recordings)
    if (collect !== undefined) positions.push(...(yield* collect()));
  return positions;
}

function* convertAll(
  recordings: readonly Recording[],
  sources: SourceMaps | undefined,
): Generator<void, readonly TypedProfile[]> {
  const profiles: TypedProfile[] = [];
  for (const recording of recordings) profiles.push(...(yield* recording.convert(sources, profiles)));
  return profiles;
}
