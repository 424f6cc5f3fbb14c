import {
  fromBinary,
  fromJson,
  ProfilesService,
  PusherService,
  QuerierService,
  toBinary,
  toJson,
} from "@pyroscope-ts/protocol/messages";
import {
  callGrpc,
  callGrpcWeb,
  envelope,
  type GrpcAnswer,
  type GrpcCall,
  type GrpcKind,
} from "./grpc-call.ts";

/** An answer, as far as rows tell of it. */
export interface WireAnswer {
  /** 200 for every answer over gRPC, whose status is its code. */
  readonly status: number;
  /** Connect's code in JSON, gRPC's in Connect's words; undefined for a success and for plain text. */
  readonly code?: string | undefined;
  /** The message of an error; else the body. */
  readonly text: string;
  readonly headers: Headers;
}

/** The server as one tenant sees it. */
export interface WireServer {
  readonly tenant: string;
  /** A request of a tenant that has the limits of the row. `headers` can take the tenant away. */
  fetch(path: string, init?: RequestInit): Promise<WireAnswer>;
  /** A call of a method with a message: of Connect in JSON, or, where the row says so, of gRPC. */
  call(
    method: string,
    message: object | string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<WireAnswer>;
  /** A call of gRPC as it goes over the wire. */
  callGrpc(kind: GrpcKind, call: GrpcCall): Promise<GrpcAnswer>;
  /** OTLP's Export over gRPC. */
  exportGrpc(request: Uint8Array, otherTenant?: string): Promise<WireAnswer>;
}

/**
 * One thing that a client can do, and the answer.
 *
 * Rows are numbered as in the list of Pyroscope's answers that they were taken from: section, then entry of the section.
 */
export interface WireRow {
  readonly row: string;
  /** How {@link WireServer.call} calls; absent: Connect. */
  readonly over?: GrpcKind;
  /** Limits of the tenant, by the names of Pyroscope's limits. */
  readonly limits?: Readonly<Record<string, unknown>>;
  /** What the tenant did before. */
  readonly before?: (server: WireServer) => Promise<WireAnswer>;
  readonly call: (server: WireServer) => Promise<WireAnswer>;
  readonly status: number;
  readonly code?: string;
  /** The whole text, or what it is like; "" for an empty body. Absent: not looked at. */
  readonly text?: string | RegExp;
  /** Why a profile is counted as discarded; absent for none. */
  readonly reason?: string;
  /** Headers that the answer has. */
  readonly headers?: Readonly<Record<string, string | RegExp>>;
}

/** A server seen by a tenant. */
export function wireServer(address: string, tenant: string, over?: GrpcKind): WireServer {
  const withTenant = (headers: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const sent = Object.entries({ "x-scope-orgid": tenant, ...headers });
    // "" takes a header away.
    return Object.fromEntries(sent.filter(([, value]) => value !== ""));
  };
  const server: WireServer = {
    tenant,
    async fetch(path, init = {}) {
      const headers = withTenant(init.headers as Record<string, string>);
      return await toAnswer(await fetch(`${address}${path}`, { ...init, headers }));
    },
    async call(method, message, headers) {
      if (over !== undefined) return await callInProtobuf(server, over, method, message, headers);
      return await server.fetch(`/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof message === "string" ? message : JSON.stringify(message),
      });
    },
    callGrpc(kind, call) {
      const send = kind === "gRPC" ? callGrpc : callGrpcWeb;
      return send(address, { ...call, headers: withTenant(call.headers) });
    },
    exportGrpc: (request, sent = tenant) =>
      server.callGrpc("gRPC", {
        method: `${ProfilesService.typeName}/Export`,
        body: envelope(request),
        headers: { "x-scope-orgid": sent },
      }),
  };
  return server;
}

/** The same message in protobuf; the text of a success is the answer's in JSON. */
async function callInProtobuf(
  server: WireServer,
  kind: GrpcKind,
  method: string,
  message: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> {
  const methods = [PusherService, QuerierService].flatMap((service) => service.methods);
  const found = methods.find(({ parent, name }) => `${parent.typeName}/${name}` === method);
  if (found === undefined || typeof message === "string")
    throw new Error(`${method}: no message to call it with`);
  const body = envelope(toBinary(found.input, fromJson(found.input, message as never)));
  const answer = await server.callGrpc(kind, { method, body, headers });
  if (answer.code !== undefined) return answer;
  const { message: bytes, ...others } = answer;
  return { ...others, text: JSON.stringify(toJson(found.output, fromBinary(found.output, bytes))) };
}

async function toAnswer(response: Response): Promise<WireAnswer> {
  const { status, headers } = response;
  const text = await response.text();
  const isError = status >= 400 && headers.get("content-type")?.startsWith("application/json") === true;
  if (!isError) return { status, text, headers };
  const { code, message } = JSON.parse(text) as { code: string; message: string };
  return { status, code, text: message, headers };
}
