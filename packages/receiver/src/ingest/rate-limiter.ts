import type { IngestLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

type RateLimits = Pick<IngestLimits, "rateBytesPerSecond" | "burstBytes" | "maxProfileSizeBytes">;

interface Bucket {
  bytes: number;
  filledAtMillis: number;
}

// A bucket that is full says nothing that a new one would not: full ones are dropped when there are this many.
const SWEEP_COUNT = 10_000;

/** Keeps what each tenant pushes to a rate: a token bucket for each, full at first. */
export class RateLimiter {
  readonly #monotonicMillis: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param monotonicMillis - see `Clock`. */
  constructor(monotonicMillis: () => number) {
    this.#monotonicMillis = monotonicMillis;
  }

  /**
   * Takes the bytes of one profile, or nothing.
   *
   * The bucket holds at least one profile of the largest size: with less, such a profile could never pass, however
   * long its sender waits.
   */
  take(tenant: string, bytes: number, limits: RateLimits): Refusal | undefined {
    const { rateBytesPerSecond } = limits;
    if (rateBytesPerSecond <= 0) return undefined;
    const capacity = Math.max(limits.burstBytes, limits.maxProfileSizeBytes, rateBytesPerSecond);
    const now = this.#monotonicMillis();
    const bucket = this.#buckets.get(tenant) ?? this.#add(tenant, { bytes: capacity, filledAtMillis: now });
    const gained = ((now - bucket.filledAtMillis) / 1000) * rateBytesPerSecond;
    bucket.bytes = Math.min(capacity, bucket.bytes + gained);
    bucket.filledAtMillis = now;
    if (bytes <= bucket.bytes) {
      bucket.bytes -= bytes;
      return undefined;
    }
    const waitSeconds = (Math.min(bytes, capacity) - bucket.bytes) / rateBytesPerSecond;
    return new Refusal(
      "rate_limited",
      `push rate limit (${formatBinaryBytes(rateBytesPerSecond)}) exceeded while adding ${formatBinaryBytes(bytes)}`,
      { retryAfterSeconds: Math.max(1, Math.ceil(waitSeconds)) },
    );
  }

  #add(tenant: string, bucket: Bucket): Bucket {
    if (this.#buckets.size >= SWEEP_COUNT) this.#dropOldest();
    this.#buckets.set(tenant, bucket);
    return bucket;
  }

  /** The half that was used longest ago: at the usual rates theirs are full again. */
  #dropOldest(): void {
    const byAge = [...this.#buckets].sort(
      ([, left], [, right]) => left.filledAtMillis - right.filledAtMillis,
    );
    for (const [tenant] of byAge.slice(0, SWEEP_COUNT / 2)) this.#buckets.delete(tenant);
  }
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Prints a size as Pyroscope's messages about rates do, in powers of 1024: 4194304 is `4.0 MiB`, 12288 is `12 KiB`. */
export function formatBinaryBytes(bytes: number): string {
  if (bytes < 10) return `${Math.floor(bytes)} B`;
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = Math.floor((bytes / 1024 ** power) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
