import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { ReceiverError } from "../../errors.ts";

/** gRPC-Web in base64, for what cannot send or receive bytes. Source: grpc/PROTOCOL-WEB.md. */
const TEXT_TYPE = /^application\/grpc-web-text(?=\+|;|\s|$)/;
const BINARY_TYPE = "application/grpc-web";
/** Digits that stand for three bytes. */
const GROUP = 4;

/** Whether a request is gRPC-Web in base64. */
export function isGrpcWebText(header: Headers): boolean {
  return TEXT_TYPE.test(header.get("content-type") ?? "");
}

/** The head of the same request in bytes. */
export function toBinaryHeader(header: Headers): Headers {
  const binary = new Headers(header);
  binary.set("content-type", (header.get("content-type") ?? "").replace(TEXT_TYPE, BINARY_TYPE));
  return binary;
}

/**
 * The bytes of a body in base64. Each of its parts may have padding of its own.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for anything else.
 */
export async function* decodeText(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = "";
  for await (const chunk of body) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const whole = text.length - (text.length % GROUP);
    rest = text.slice(whole);
    yield decodeGroups(text.slice(0, whole));
  }
  if (rest !== "") throw invalid(`${rest.length} characters at its end stand for no byte`);
}

function decodeGroups(text: string): Uint8Array {
  const parts = text.match(/[A-Za-z0-9+/]+(?:={1,2})?/g) ?? [];
  const isWhole = parts.every((part) => part.length % GROUP === 0);
  if (!isWhole || parts.join("") !== text) throw invalid("it holds other characters");
  return Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
}

/** A response in base64 to a request in base64. */
export function toTextResponse(response: UniversalServerResponse): UniversalServerResponse {
  const { header, body } = response;
  const type = header?.get("content-type") ?? "";
  if (header === undefined || !type.startsWith(BINARY_TYPE)) return response;
  const text = new Headers(header);
  text.set("content-type", type.replace(BINARY_TYPE, `${BINARY_TYPE}-text`));
  return { ...response, header: text, ...(body === undefined ? {} : { body: encodeText(body) }) };
}

/** In groups that go on from part to part: not every client takes padding but at the end. */
async function* encodeText(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    rest = bytes.subarray(whole);
    if (whole > 0) yield Buffer.from(bytes.toString("base64", 0, whole), "latin1");
  }
  if (rest.length > 0) yield Buffer.from(rest.toString("base64"), "latin1");
}

function invalid(reason: string): ReceiverError {
  return new ReceiverError(`the body is not base64: ${reason}`, { code: "INVALID_ARGUMENT" });
}
