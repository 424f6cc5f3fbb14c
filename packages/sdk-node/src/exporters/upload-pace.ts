import type { Clock } from "../clock.ts";

/**
 * The rate at which a server takes uploads, as a bucket that fills while nothing is sent: after an outage, or for a
 * window in many parts, uploads go no faster than a default server accepts them.
 */
export class UploadPace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  readonly #burstBytes: number;
  #usedBytes = 0;
  #usedAtMs: number;

  constructor(clock: Clock, bytesPerSecond: number, burstBytes: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstBytes = burstBytes;
    this.#usedAtMs = clock.nowMonotonicMs();
  }

  /** Milliseconds until `bytes` may be sent. What is larger than the burst waits for an empty bucket. */
  delayMs(bytes: number): number {
    const over = this.#used() + Math.min(bytes, this.#burstBytes) - this.#burstBytes;
    return over > 0 ? Math.ceil((over / this.#bytesPerSecond) * 1000) : 0;
  }

  /** Counts `bytes` as sent now. */
  spend(bytes: number): void {
    this.#usedBytes = this.#used() + bytes;
    this.#usedAtMs = this.#clock.nowMonotonicMs();
  }

  #used(): number {
    const elapsedMs = this.#clock.nowMonotonicMs() - this.#usedAtMs;
    return Math.max(0, this.#usedBytes - (elapsedMs / 1000) * this.#bytesPerSecond);
  }
}

// A default Pyroscope's ingestion_rate_mb and ingestion_burst_size_mb, which count bytes before compression.
const BYTES_PER_SECOND = 4 * 1024 ** 2;
const BURST_BYTES = 2 * 1024 ** 2;

/** The pace of a default Pyroscope. */
export function createServerPace(clock: Clock): UploadPace {
  return new UploadPace(clock, BYTES_PER_SECOND, BURST_BYTES);
}
