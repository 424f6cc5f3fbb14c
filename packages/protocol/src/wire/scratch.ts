/** Bytes that are kept between calls. Profiles of up to about 200 kB, nearly all that are pushed, need no more. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Memory for columns that are of no use once a synchronous call returns: taken in one piece, used again by the next.
 *
 * A typed array of its own costs ten times what a view does, and more when it is collected. What does not fit gets
 * memory of its own, so that one huge input does not make this huge for ever.
 */
export class Scratch {
  #buffer: ArrayBuffer | undefined;
  #used = 0;

  /** Takes all memory back: everything handed out before may be overwritten. */
  reset(): void {
    this.#used = 0;
  }

  /** A column with **anything in it**: what is read must have been written first. */
  uint32(length: number): Uint32Array {
    const start = this.#take(length);
    return start < 0 ? new Uint32Array(length) : new Uint32Array(this.#kept(), start, length);
  }

  /** As {@link Scratch.uint32}, signed. */
  int32(length: number): Int32Array {
    const start = this.#take(length);
    return start < 0 ? new Int32Array(length) : new Int32Array(this.#kept(), start, length);
  }

  /** Made when first needed: importing this package takes no memory. */
  #kept(): ArrayBuffer {
    this.#buffer ??= new ArrayBuffer(KEPT_BYTES);
    return this.#buffer;
  }

  /** Offset of room for that many 32-bit words; -1 when it does not fit. */
  #take(length: number): number {
    const start = this.#used;
    const end = start + length * 4;
    if (end > KEPT_BYTES) return -1;
    this.#used = end;
    return start;
  }
}
