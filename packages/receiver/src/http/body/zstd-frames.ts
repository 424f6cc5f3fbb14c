import { Transform, type TransformCallback } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { ReceiverError } from "../../errors.ts";

// A compressor with threads makes a frame of some megabytes with each. Eight megabytes of empty frames are a million, and each
// takes a decompressor of its own here.
const MAX_FRAMES = 1000;

/**
 * Decompresses zstd. A body may have several frames, one behind the other: Node's decompressor ends with the first when it
 * finds the next in the same chunk, and leaves the rest.
 *
 * Source: RFC 8878, section 3.
 */
export class ZstdFrames extends Transform {
  /** What was consumed of the frames before the one that is read. */
  #consumedBytes = 0;
  #frameCount = 0;
  #frame: ReturnType<typeof createZstdDecompress> | undefined;

  /** Compressed bytes that were consumed. */
  get bytesWritten(): number {
    return this.#consumedBytes + (this.#frame?.bytesWritten ?? 0);
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#frame === undefined && ++this.#frameCount > MAX_FRAMES) {
      const message = `decompressing a request body: it has more than ${MAX_FRAMES} frames of zstd`;
      done(new ReceiverError(message, { code: "INVALID_ARGUMENT" }));
      return;
    }
    this.#frame ??= this.#open();
    const frame = this.#frame;
    const before = frame.bytesWritten;
    let isSettled = false;
    const settle = (next: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      frame.off("error", fail).off("end", goOn);
      next();
    };
    const fail = (error: Error): void => settle(() => done(error));
    const goOn = (): void =>
      settle(() => {
        const rest = chunk.subarray(frame.bytesWritten - before);
        this.#consumedBytes += frame.bytesWritten;
        this.#frame = undefined;
        frame.destroy();
        if (rest.length === 0) done();
        else this._transform(rest, _encoding, done);
      });
    frame.once("error", fail).once("end", goOn);
    // Not called when the frame ends within the chunk.
    frame.write(chunk, () => settle(done));
  }

  override _flush(done: TransformCallback): void {
    if (this.#frame === undefined) done();
    else
      this.#frame
        .once("error", done)
        .once("end", () => done())
        .end();
  }

  override _read(size: number): void {
    this.#frame?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#frame?.destroy();
    super._destroy(error, done);
  }

  #open(): ReturnType<typeof createZstdDecompress> {
    const frame = createZstdDecompress();
    frame.on("data", (bytes: Uint8Array) => {
      if (!this.push(bytes)) frame.pause();
    });
    // One that comes when the frame has ended is about what is behind it, which the next one reads.
    frame.on("error", () => undefined);
    return frame;
  }
}
