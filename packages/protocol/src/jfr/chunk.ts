import { CHUNK_HEADER_BYTES, type ChunkHeader } from "./chunk-header.ts";
import { ConstantPools } from "./constant-pools.ts";
import type { JfrLimits } from "./jfr-limits.ts";
import { JfrReader } from "./jfr-reader.ts";
import { malformedJfr } from "./malformed-jfr.ts";
import { CHECKPOINT_EVENT, type JfrMetadata, readMetadata } from "./metadata.ts";
import { TypeLayouts } from "./type-layout.ts";

/** One chunk of a recording, with everything that its events refer to. */
export class Chunk {
  readonly header: ChunkHeader;
  readonly metadata: JfrMetadata;
  readonly layouts: TypeLayouts;
  readonly pools: ConstantPools = new ConstantPools();
  readonly #reader: JfrReader;

  /**
   * Reads the types and constants of a chunk.
   *
   * @throws {@link ProtocolError} `JFR_MALFORMED` or `JFR_LIMIT`.
   */
  constructor(bytes: Uint8Array, header: ChunkHeader, limits: JfrLimits) {
    this.header = header;
    this.#reader = new JfrReader(bytes);
    this.#enterEvent(header.metadataStart);
    this.metadata = readMetadata(this.#reader, limits);
    this.layouts = new TypeLayouts(this.metadata);
    // Checkpoints are events among the others; the chain that links them is for those who read backwards.
    this.forEachEvent((typeId, reader) => {
      if (typeId === CHECKPOINT_EVENT) this.pools.readCheckpoint(reader, this.layouts);
    });
  }

  /** Calls `visit` for each event, in the order of the bytes; the reader stands behind the event's type. */
  forEachEvent(visit: (typeId: number, reader: JfrReader) => void): void {
    const reader = this.#reader;
    for (let at = this.header.start + CHUNK_HEADER_BYTES; at < this.header.end; ) {
      const end = this.#enterEvent(at);
      visit(reader.uint("event type"), reader);
      at = end;
    }
  }

  /** Reads the size of the event at `start`, and returns where it ends. */
  #enterEvent(start: number): number {
    const reader = this.#reader;
    reader.position = start;
    reader.limit = this.header.end;
    const size = reader.uint("event size");
    const end = start + size;
    if (end <= reader.position || end > this.header.end) {
      throw malformedJfr(`event at byte ${start}: size ${size}, the chunk ends at byte ${this.header.end}`);
    }
    reader.limit = end;
    return end;
  }
}
