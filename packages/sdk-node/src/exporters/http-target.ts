import type { SdkConfig } from "../config.ts";
import { createConnection, type HttpConnection } from "./http-connection.ts";
import { createHeaders } from "./send-upload.ts";

/** Where uploads go and how: plain data, so that it can be handed to another thread. */
export interface HttpTarget {
  readonly kind: "push" | "ingest";
  readonly serverAddress: string;
  readonly connection: HttpConnection;
  /** Headers of every upload, in lower case, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the server may ask for something to be recorded. */
  readonly takesOrders: boolean;
}

/** What of the configuration an HTTP exporter needs. */
export function createHttpTarget(config: SdkConfig, kind: HttpTarget["kind"]): HttpTarget {
  return {
    kind,
    serverAddress: config.serverAddress,
    connection: createConnection(config, config.serverAddress, config.uploadTimeoutMs),
    headers: createHeaders(config),
    takesOrders: config.remoteCapture,
  };
}
