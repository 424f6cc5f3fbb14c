import { gunzipSync } from "node:zlib";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { decodePprof, type Profile, totalValues } from "@pyroscope-ts/protocol";
import { PusherService, QuerierService } from "@pyroscope-ts/protocol/messages";

/** Every way in which a Connect client talks to the receiver. */
export const transports = {
  "Connect, proto": (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect, JSON": (baseUrl: string) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect, gzip": (baseUrl: string) =>
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      sendCompression: compressionGzip,
      compressMinBytes: 0,
    }),
  gRPC: (baseUrl: string) => createGrpcTransport({ baseUrl }),
  "gRPC-Web": (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
} as const satisfies { readonly [name: string]: (baseUrl: string) => Transport };

/** Name of a row of {@link transports}. */
export type TransportName = keyof typeof transports;

/** An answer of a REST route. */
interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed if it is JSON, else text. */
  readonly body: unknown;
}

/** A range of time; anything that the receiver's time syntax takes. */
interface TimeRange {
  readonly from: string;
  readonly until: string;
}

/** The receiver's HTTP API, typed. */
export interface ReceiverClient {
  readonly baseUrl: string;
  pusher(transport?: TransportName): Client<typeof PusherService>;
  querier(transport?: TransportName): Client<typeof QuerierService>;
  /** `POST /ingest`. */
  ingest(query: Readonly<Record<string, string>>, body: Uint8Array | FormData): Promise<RestAnswer>;
  /** `GET /render?format=pprof`, decoded. */
  renderPprof(query: string, range: TimeRange): Promise<Profile>;
  /** Sum of the samples of {@link renderPprof}. */
  renderTotal(query: string, range: TimeRange): Promise<bigint>;
  get(path: string): Promise<RestAnswer>;
}

/** A client of the receiver at an address such as `http://127.0.0.1:4040`. */
export function createReceiverClient(baseUrl: string): ReceiverClient {
  const client: ReceiverClient = {
    baseUrl,
    pusher: (transport = "Connect, proto") => createClient(PusherService, transports[transport](baseUrl)),
    querier: (transport = "Connect, proto") => createClient(QuerierService, transports[transport](baseUrl)),
    async ingest(query, body) {
      const response = await fetch(`${baseUrl}/ingest?${new URLSearchParams(query)}`, {
        method: "POST",
        body,
      });
      return toAnswer(response);
    },
    async renderPprof(query, range) {
      const parameters = new URLSearchParams({ query, ...range, format: "pprof" });
      const response = await fetch(`${baseUrl}/render?${parameters}`);
      if (!response.ok) throw new Error(`GET /render: ${response.status} ${await response.text()}`);
      return decodePprof(gunzipSync(await response.arrayBuffer()));
    },
    async renderTotal(query, range) {
      return totalValues(await client.renderPprof(query, range))[0] ?? 0n;
    },
    async get(path) {
      return toAnswer(await fetch(`${baseUrl}${path}`));
    },
  };
  return client;
}

async function toAnswer(response: Response): Promise<RestAnswer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
