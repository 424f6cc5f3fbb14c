import type { Clock } from "../clock.ts";

/** What a event sampler needs. */
export interface EventSamplerOptions {
  readonly maxPerSecond: number;
  readonly clock: Clock;
  /** As `Math.random`. */
  readonly random: () => number;
}

// Long enough to hold some samples at the rate that is aimed at, short enough to follow a burst.
const SLICE_MS = 200;

// After a burst the mean is too large for what follows: it is looked at again after so many events.
const MAX_GAP = 64;

/**
 * Picks events at random so that about `maxPerSecond` are looked at, however many there are: all of a few, one of
 * many. What is not picked costs the decrement of a number.
 *
 * Gaps between two picks are geometric, and each pick stands for the mean of its gap: sums stay right when the
 * mean changes.
 */
export class EventSampler {
  readonly #options: EventSamplerOptions;
  readonly #perSlice: number;
  #left = 1;
  /** Whether the event at the end of `#left` is picked; else the gap goes on, at the mean of that time. */
  #isPick = true;
  #mean = 1;
  /** The mean that `#left` was drawn with. */
  #drawnMean = 1;
  #sliceStartMs = 0;
  #sliceCount = 0;

  constructor(options: EventSamplerOptions) {
    this.#options = options;
    this.#perSlice = Math.max(1, (options.maxPerSecond * SLICE_MS) / 1000);
  }

  /** How many events this one stands for; undefined when it is not picked. */
  pick(): number | undefined {
    this.#left--;
    if (this.#left > 0) return undefined;
    const weight = this.#isPick ? this.#drawnMean : undefined;
    if (this.#isPick) this.#sliceCount++;
    this.#adjust();
    this.#draw();
    return weight;
  }

  #adjust(): void {
    const nowMs = this.#options.clock.nowMonotonicMs();
    const passedMs = nowMs - this.#sliceStartMs;
    const isOver = passedMs >= SLICE_MS;
    // A burst is not waited out.
    if (!isOver && this.#sliceCount < 2 * this.#perSlice) return;
    const slices = isOver ? passedMs / SLICE_MS : 1;
    this.#mean = Math.max(1, (this.#mean * this.#sliceCount) / (slices * this.#perSlice));
    this.#sliceStartMs = nowMs;
    this.#sliceCount = 0;
  }

  /** A geometric gap has no memory: one that is cut is drawn anew without a change to what picks stand for. */
  #draw(): void {
    this.#drawnMean = this.#mean;
    // 1 - random(): never 0, whose logarithm is no number.
    const gap =
      this.#mean <= 1
        ? 1
        : 1 + Math.floor(Math.log(1 - this.#options.random()) / Math.log(1 - 1 / this.#mean));
    this.#isPick = gap <= MAX_GAP;
    this.#left = Math.min(gap, MAX_GAP);
  }
}
