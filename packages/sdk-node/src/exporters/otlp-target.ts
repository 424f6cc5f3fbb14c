import type { SdkConfig } from "../config.ts";
import { PACKAGE_NAME, PACKAGE_VERSION } from "../version.ts";
import { createConnection } from "./http-connection.ts";
import type { OtlpTarget } from "./otlp-exporter.ts";

/** What of the configuration the OTLP exporter needs. */
export function createOtlpTarget(config: SdkConfig): OtlpTarget {
  const headers: Record<string, string> = { "user-agent": `${PACKAGE_NAME}/${PACKAGE_VERSION}` };
  for (const [name, value] of config.otlpHeaders) headers[name] = value.reveal();
  return {
    kind: "otlp",
    endpoint: config.otlpEndpoint,
    headers,
    isCompressed: config.otlpCompression === "gzip",
    connection: createConnection(config, config.otlpEndpoint, config.otlpTimeoutMs),
    resourceAttributes: config.otlpResourceAttributes,
  };
}
