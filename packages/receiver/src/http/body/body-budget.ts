import { ReceiverError } from "../../errors.ts";

/** Bytes of request bodies that one request holds; give them back once. */
export interface BodyReservation {
  /**
   * Takes `byteCount` more.
   *
   * @throws {@link ReceiverError} `UNAVAILABLE` when the budget is spent; nothing was taken.
   */
  grow(byteCount: number): void;
  /** Gives back everything that was taken. A second call does nothing. */
  release(): void;
}

/**
 * Bounds the bytes of request bodies that are held in memory at once, over all connections.
 *
 * Bodies are counted as they arrive, not by their Content-Length, which a client may leave out or overstate.
 */
export interface BodyBudget {
  open(): BodyReservation;
  /** Bytes taken now. */
  readonly inflightBytes: number;
  /**
   * The largest single body, so that a larger one can be refused for good; 0: no limit. Half of what all may take together:
   * one body without an end leaves room for others, and one that is counted as it arrives and again as it is
   * decompressed still fits.
   */
  readonly maxBodyBytes: number;
}

/** @param maxInflightBytes - what all bodies may take together; 0: no limit. */
export function createBodyBudget(maxInflightBytes: number): BodyBudget {
  let inflightBytes = 0;
  return {
    maxBodyBytes: Math.floor(maxInflightBytes / 2),
    get inflightBytes() {
      return inflightBytes;
    },
    open() {
      let taken = 0;
      return {
        grow(byteCount) {
          if (maxInflightBytes > 0 && inflightBytes + byteCount > maxInflightBytes) {
            throw new ReceiverError(
              `request bodies in flight would hold ${inflightBytes + byteCount} bytes, the limit is ${maxInflightBytes}`,
              { code: "UNAVAILABLE" },
            );
          }
          inflightBytes += byteCount;
          taken += byteCount;
        },
        release() {
          inflightBytes -= taken;
          taken = 0;
        },
      };
    },
  };
}

/** The smaller of two limits of which 0 is none. */
export function smallerLimit(left: number, right: number): number {
  return left === 0 || right === 0 ? left + right : Math.min(left, right);
}

/** Passes the chunks of a body on and takes each from the budget before it is kept. The caller releases. */
export async function* meterBody(
  body: AsyncIterable<Uint8Array>,
  reservation: BodyReservation,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    reservation.grow(chunk.byteLength);
    yield chunk;
  }
}
