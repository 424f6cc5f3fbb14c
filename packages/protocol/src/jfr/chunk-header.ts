import { malformedJfr } from "./malformed-jfr.ts";

/** Length of a chunk's header; the first event follows. */
export const CHUNK_HEADER_BYTES = 68;

// "FLR\0"
const MAGIC = 0x464c5200;

/** Bit of the header's features: integers are written compressed. The JDK can switch it off, nobody does. */
const COMPRESSED_INTEGERS = 1;

/** What the header of a chunk says; a recording is one chunk or several, each complete in itself. */
export interface ChunkHeader {
  /** Where the chunk begins in the recording, and where it ends. */
  readonly start: number;
  readonly end: number;
  /** Where the event that describes the chunk's types begins in the recording. */
  readonly metadataStart: number;
  readonly ticksPerSecond: bigint;
}

/**
 * Reads the header of the chunk at `start`.
 *
 * @throws {@link ProtocolError} `JFR_MALFORMED` if there is none, if it was never finished, or if it says that the chunk
 * is longer than the bytes.
 *
 * Source: JDK jdk.jfr.internal.consumer.ChunkHeader.
 */
export function readChunkHeader(bytes: Uint8Array, start: number): ChunkHeader {
  const left = bytes.length - start;
  if (left < CHUNK_HEADER_BYTES) {
    throw malformedJfr(`chunk at byte ${start}: ${left} bytes, a header has ${CHUNK_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, CHUNK_HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC) throw malformedJfr(`chunk at byte ${start} does not begin with "FLR"`);
  const major = view.getUint16(4);
  if (major !== 2)
    throw malformedJfr(`chunk at byte ${start}: version ${major}.${view.getUint16(6)}, expected 2`);
  if ((view.getUint16(66) & COMPRESSED_INTEGERS) === 0) {
    throw malformedJfr(`chunk at byte ${start}: integers are not compressed`);
  }
  const size = view.getBigInt64(8);
  if (size < BigInt(CHUNK_HEADER_BYTES) || size > BigInt(left)) {
    throw malformedJfr(`chunk at byte ${start}: size ${size}, expected ${CHUNK_HEADER_BYTES} to ${left}`);
  }
  const metadata = view.getBigInt64(24);
  if (metadata < BigInt(CHUNK_HEADER_BYTES) || metadata >= size) {
    throw malformedJfr(`chunk at byte ${start}: metadata at ${metadata}, chunk size ${size}`);
  }
  const ticksPerSecond = view.getBigInt64(56);
  if (ticksPerSecond <= 0n) throw malformedJfr(`chunk at byte ${start}: ${ticksPerSecond} ticks per second`);
  return { start, end: start + Number(size), metadataStart: start + Number(metadata), ticksPerSecond };
}
