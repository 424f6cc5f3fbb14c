import type { DescMessage } from "@bufbuild/protobuf";
import type { Compression } from "@connectrpc/connect/protocol";
import type { BodyReservation } from "../body/body-budget.ts";
import { checkFieldCount } from "../body/message-fields.ts";
import { joinChunks } from "../body/read-body.ts";
import { createTurns } from "../port/turns.ts";

/** What {@link createMessageReader} works with. */
interface MessageReaderOptions {
  /** The compressions that clients may use. */
  readonly compressions: readonly Compression[];
  /** Largest message, decompressed. */
  readonly maxMessageBytes: number;
}

/** A request of Connect, gRPC or gRPC-Web, of one message. */
interface MessageRequest {
  /** Of the request; what no longer holds when its message is read is taken out. */
  readonly header: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  readonly message: DescMessage;
  readonly reservation: BodyReservation;
}

// One byte of flags, of which the lowest says that the message is compressed, and four of length.
const ENVELOPE_BYTES = 5;
const COMPRESSED = 1;

// A megabyte of JSON takes this thread 10 ms and more: its text is decoded, parsed, and looked through for names that come twice.
const LARGE_MESSAGE_BYTES = 256 * 1024;

/** Gives the body of a request as Connect is to see it. */
export type MessageReader = (request: MessageRequest) => AsyncIterable<Uint8Array>;

/**
 * Makes what looks at the message of a request before Connect decodes it: it is read whole, decompressed, and refused when it
 * has too many fields. Of large ones one is decoded in each turn of the event loop, however many come at once.
 *
 * What is no message, is too large, or has a content type or coding that is not known, goes on as it came: Connect has the
 * words for it.
 */
export function createMessageReader({ compressions, maxMessageBytes }: MessageReaderOptions): MessageReader {
  const byName = new Map(compressions.map((compression) => [compression.name, compression]));
  const inTurn = createTurns(1);
  const largeTurn = (): Promise<void> => new Promise((resolve) => inTurn(resolve));

  return ({ header, body, message, reservation }) => {
    const type = /^application\/(grpc-web|grpc|connect)?\+?(json|proto)?\s*(?:;|$)/.exec(
      header.get("content-type") ?? "",
    );
    if (type === null) return body;
    const [, protocol, coding] = type;
    const encoding = coding === "json" ? "json" : "proto";
    const codingHeader = protocol === "connect" ? "connect-content-encoding" : "grpc-encoding";

    /** @param name - undefined for what is not compressed. */
    const unpack = async (bytes: Uint8Array, name: string | undefined): Promise<Uint8Array | undefined> => {
      if (name === undefined) return bytes;
      const unpacked = await byName.get(name)?.decompress(bytes, maxMessageBytes);
      reservation.grow(unpacked?.length ?? 0);
      return unpacked;
    };

    const check = async (plain: Uint8Array): Promise<void> => {
      if (plain.length > LARGE_MESSAGE_BYTES) await largeTurn();
      checkFieldCount(plain, encoding, message);
    };

    async function* readUnary(): AsyncGenerator<Uint8Array> {
      const bytes = await readUpTo(body, maxMessageBytes);
      const plain = bytes.length > maxMessageBytes ? undefined : await unpack(bytes, unaryName);
      if (plain !== undefined) await check(plain);
      yield plain ?? bytes;
    }

    async function* readEnvelope(): AsyncGenerator<Uint8Array> {
      const bytes = await readUpTo(body, maxMessageBytes + ENVELOPE_BYTES);
      const { flags, content, isWhole, hasMore } = openEnvelope(bytes);
      if (hasMore) {
        // Connect looks at every one of them before it says that there is more than one: 400,000 empty ones of 2 MB hold
        // up everybody for a second.
        yield bytes.subarray(0, ENVELOPE_BYTES + content.length);
        yield new Uint8Array(ENVELOPE_BYTES);
        return;
      }
      // What is said to be compressed, without a word how, is not taken for plain.
      const name = (flags & COMPRESSED) === 0 ? undefined : (header.get(codingHeader) ?? "");
      const plain = isWhole ? await unpack(content, name) : undefined;
      if (plain === undefined) {
        yield bytes;
        return;
      }
      await check(plain);
      const envelope = new Uint8Array(ENVELOPE_BYTES);
      envelope[0] = flags & ~COMPRESSED;
      new DataView(envelope.buffer).setUint32(1, plain.length);
      yield envelope;
      yield plain;
    }

    if (protocol !== undefined) return readEnvelope();
    const unaryCoding = header.get("content-encoding") ?? "identity";
    const unaryName = unaryCoding === "identity" ? undefined : unaryCoding;
    if (byName.has(unaryCoding)) {
      header.delete("content-encoding");
      header.delete("content-length");
    }
    return readUnary();
  };
}

/** What a body holds from its first byte on. */
function openEnvelope(bytes: Uint8Array): {
  readonly flags: number;
  /** Of the first message, or what there is of it. */
  readonly content: Uint8Array;
  readonly isWhole: boolean;
  /** Something is behind the first message. */
  readonly hasMore: boolean;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length < ENVELOPE_BYTES ? Number.POSITIVE_INFINITY : ENVELOPE_BYTES + view.getUint32(1);
  return {
    flags: bytes[0] ?? 0,
    content: bytes.subarray(ENVELOPE_BYTES, end),
    isWhole: end <= bytes.length,
    hasMore: end < bytes.length,
  };
}

/** Reads a body, or as much of it as tells that it is larger. */
async function readUpTo(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    byteLength += chunk.length;
    if (byteLength > maxBytes) break;
  }
  return joinChunks(chunks, byteLength);
}
