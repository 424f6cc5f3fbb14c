import type { SdkConfig } from "../config.ts";
import { createHeaders } from "./send-upload.ts";

/** Where uploads go and how: plain data, so that it can be handed to another thread. */
export interface HttpTarget {
  readonly protocol: "push" | "ingest";
  readonly serverAddress: string;
  readonly uploadTimeoutMs: number;
  /** Headers of every upload, in lower case, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What of the configuration an HTTP exporter needs. */
export function createHttpTarget(config: SdkConfig): HttpTarget {
  return {
    protocol: config.protocol === "ingest" ? "ingest" : "push",
    serverAddress: config.serverAddress,
    uploadTimeoutMs: config.uploadTimeoutMs,
    headers: createHeaders(config),
  };
}
