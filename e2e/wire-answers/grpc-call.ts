import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { Code } from "@connectrpc/connect";
import type { WireAnswer } from "./wire-row.ts";

/** What speaks gRPC: over HTTP/2, or in a form that browsers can send. */
export type GrpcKind = "gRPC" | "gRPC-Web";

/** A call of gRPC as it goes over the wire. */
export interface GrpcCall {
  /** Such as `push.v1.PusherService/Push`. */
  readonly method: string;
  /** A message in an envelope. */
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer, and its message. */
export interface GrpcAnswer extends WireAnswer {
  readonly message: Uint8Array;
}

/** Flag of the envelope that holds the trailers of gRPC-Web. */
const TRAILERS = 0x80;

/** One byte of flags, four of length, and the message. */
export function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * Calls as strictly as gRPC for Go does: the status stands in trailers, or in a head that ends the answer. An answer with
 * neither is no answer, whatever its head says.
 */
export async function callGrpc(address: string, call: GrpcCall): Promise<GrpcAnswer> {
  const session = connect(address);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": `/${call.method}`,
      te: "trailers",
      "content-type": "application/grpc",
      ...call.headers,
    });
    let trailers: IncomingHttpHeaders | undefined;
    stream.once("trailers", (headers) => {
      trailers = headers;
    });
    stream.end(call.body);
    const [head, flags] = (await once(stream, "response")) as [IncomingHttpHeaders, number];
    // NGHTTP2_FLAG_END_STREAM
    const isHeadAlone = (flags & 1) === 1;
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const status = isHeadAlone ? head : trailers;
    return toAnswer(Number(head[":status"]), { ...head, ...trailers }, status ?? {}, Buffer.concat(chunks));
  } finally {
    session.close();
  }
}

/** Calls over HTTP/1.1, with trailers behind the message in the body, or a status in the head of an answer without one. */
export async function callGrpcWeb(address: string, { method, body, headers }: GrpcCall): Promise<GrpcAnswer> {
  const response = await fetch(`${address}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web", ...headers },
    body: new Uint8Array(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const head = Object.fromEntries(response.headers);
  if (bytes.length === 0) return toAnswer(response.status, head, head, bytes);
  const at = trailersAt(bytes);
  const lines = bytes
    .subarray(at + 5)
    .toString("latin1")
    .trimEnd()
    .split("\r\n");
  const trailers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return toAnswer(response.status, { ...head, ...trailers }, trailers, bytes.subarray(0, at));
}

function trailersAt(bytes: Buffer): number {
  let at = 0;
  while (at + 5 <= bytes.length && ((bytes[at] ?? 0) & TRAILERS) === 0) at += 5 + bytes.readUInt32BE(at + 1);
  return at;
}

function toAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  { "grpc-status": grpcStatus, "grpc-message": message }: IncomingHttpHeaders,
  body: Buffer,
): GrpcAnswer {
  const plain = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
  const all = new Headers(plain.map(([name, value]) => [name, String(value)] as [string, string]));
  const answer = { status, headers: all, message: body.subarray(5) };
  if (grpcStatus === "0") return { ...answer, text: "" };
  if (grpcStatus === undefined) return { ...answer, code: "no status", text: body.toString() };
  const name = Code[Number(grpcStatus)] ?? grpcStatus.toString();
  const code = name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
  return { ...answer, code, text: decodeURIComponent(String(message ?? "")) };
}
