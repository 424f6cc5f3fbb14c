import { gunzipSync } from "node:zlib";
import { Refusal } from "./refusal.ts";

// What one profile may take when `max_profile_size_bytes` is off: decoded columns take about as much again, and the
// whole worker should stay below 1 GiB.
const UNLIMITED_BYTES = 256 * 1024 * 1024;

// Deflate makes at most 258 bytes of two bits.
const MAX_DEFLATE_RATIO = 1032;

// 64 KiB per step inflates 4 MiB in 4 ms; Node's default of 16 KiB takes twice that, 256 KiB gains nothing more.
const INFLATE_STEP_BYTES = 64 * 1024;

/** The last member of several states its own size only: steps must not become tiny. */
const MIN_STEP_BYTES = 16 * 1024;

/** How {@link inflatePayload} words a payload that is too large: the two write endpoints differ. */
export type SizeLimitText = (limitBytes: number) => string;

/**
 * Gives the pprof bytes of a payload, which clients send plain or gzipped: the first two bytes tell.
 *
 * A payload that says it is too large is believed. Any other is inflated up to the limit, so that a gzip bomb costs
 * `maxBytes` and no more. Members that follow one another are one payload, and zeros after the last are padding, as for
 * gzip(1).
 *
 * @param maxBytes - largest size after decompression; 0 for no limit of the tenant's.
 */
export function inflatePayload(
  payload: Uint8Array,
  maxBytes: number,
  describeLimit: SizeLimitText,
): Uint8Array | Refusal {
  const limitBytes = maxBytes === 0 ? UNLIMITED_BYTES : Math.min(maxBytes, UNLIMITED_BYTES);
  const inflated = isGzip(payload) ? gunzip(payload, limitBytes, describeLimit) : payload;
  if (inflated instanceof Refusal) return inflated;
  if (inflated.length > limitBytes) return refuse("profile_size_limit", describeLimit(limitBytes));
  if (inflated !== payload && isGzip(inflated)) {
    return refuse("malformed_profile", "payload is gzip inside gzip: compress a profile once");
  }
  return inflated;
}

function refuse(reason: "profile_size_limit" | "malformed_profile", message: string): Refusal {
  return new Refusal(reason, message, { isUndecodable: true });
}

/** Whether bytes begin as a gzip member does. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzip(payload: Uint8Array, limitBytes: number, describeLimit: SizeLimitText): Uint8Array | Refusal {
  const statedBytes = readStatedSize(payload);
  if (statedBytes > limitBytes) return refuse("profile_size_limit", describeLimit(limitBytes));
  try {
    // One step for all of it, and one byte to see that nothing follows, saves joining steps: half of the memory.
    const chunkSize = statedBytes > 0 ? Math.max(MIN_STEP_BYTES, statedBytes + 1) : INFLATE_STEP_BYTES;
    return gunzipSync(payload, { maxOutputLength: limitBytes, chunkSize });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") {
      return refuse("profile_size_limit", describeLimit(limitBytes));
    }
    return refuse("malformed_profile", `payload is not a whole gzip stream: ${error.message}`);
  }
}

/**
 * The size that the last member of a gzip stream states (RFC 1952: ISIZE), which the whole cannot be below; 0 where the
 * last four bytes cannot be that, such as garbage behind a member.
 */
function readStatedSize(payload: Uint8Array): number {
  if (payload.length < 4) return 0;
  const size = new DataView(payload.buffer, payload.byteOffset).getUint32(payload.length - 4, true);
  return size <= payload.length * MAX_DEFLATE_RATIO ? size : 0;
}
