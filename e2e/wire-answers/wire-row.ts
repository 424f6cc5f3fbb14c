import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { fromBinary, ProfilesService, UndecodedExportRequestSchema } from "@pyroscope-ts/protocol/messages";

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
  /** `POST` of a message to a method of Connect, in JSON. */
  call(
    method: string,
    message: object | string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<WireAnswer>;
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
export function wireServer(address: string, tenant: string): WireServer {
  const server: WireServer = {
    tenant,
    async fetch(path, init = {}) {
      const headers = { "x-scope-orgid": tenant, ...(init.headers as Record<string, string>) };
      // "" takes a header away.
      const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
      return await toAnswer(await fetch(`${address}${path}`, { ...init, headers: sent }));
    },
    call: (method, message, headers) =>
      server.fetch(`/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof message === "string" ? message : JSON.stringify(message),
      }),
    async exportGrpc(request, sent = tenant) {
      const withTenant: Interceptor = (next) => (call) => {
        if (sent !== "") call.header.set("x-scope-orgid", sent);
        return next(call);
      };
      const transport = createGrpcTransport({ baseUrl: address, interceptors: [withTenant] });
      try {
        await createClient(ProfilesService, transport).export(
          fromBinary(UndecodedExportRequestSchema, request),
        );
        return { status: 200, text: "", headers: new Headers() };
      } catch (thrown) {
        const { code, rawMessage, metadata } = ConnectError.from(thrown);
        const name = (Code[code] ?? "").replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
        return { status: 200, code: name, text: rawMessage, headers: metadata };
      }
    },
  };
  return server;
}

async function toAnswer(response: Response): Promise<WireAnswer> {
  const { status, headers } = response;
  const text = await response.text();
  const isError = status >= 400 && headers.get("content-type")?.startsWith("application/json") === true;
  if (!isError) return { status, text, headers };
  const { code, message } = JSON.parse(text) as { code: string; message: string };
  return { status, code, text: message, headers };
}
