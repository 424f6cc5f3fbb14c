import {
  certificateKind,
  exportersKind,
  otlpHeadersKind,
  privateKeyKind,
  proxyKind,
  resourceAttributesKind,
} from "./delivery-setting-kinds.ts";
import type { CustomExporter } from "./exporters/custom-exporter.ts";
import type { ExporterName } from "./options.ts";
import { httpUrlKind } from "./sdk-setting-kinds.ts";
import type { Secret } from "./secret.ts";
import {
  booleanKind,
  choiceKind,
  durationKind,
  environment,
  integerKind,
  type Setting,
  sizeKind,
  textKind,
} from "./setting.ts";

/** Where profiles go and how they get there: the part of the resolved settings that exporters are made from. */
export interface DeliveryConfig {
  readonly exporters: readonly (ExporterName | CustomExporter)[];
  readonly exportDirectory: string;
  readonly exportDirectoryBytes: number;
  readonly exportDirectoryFiles: number;
  readonly otlpEndpoint: string;
  readonly otlpHeaders: ReadonlyMap<string, Secret>;
  readonly otlpTimeoutMs: number;
  readonly otlpCompression: "gzip" | "none";
  readonly otlpResourceAttributes: readonly (readonly [string, string])[];
  /** PEM. */
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: Secret | undefined;
  readonly tlsRejectUnauthorized: boolean;
  /** A URL, which may have a user and password. */
  readonly httpProxy: Secret | undefined;
  readonly httpsProxy: Secret | undefined;
  readonly noProxy: string | undefined;
}

const env = environment;

// The path of the OTLP specification 1.10, behind the endpoint that all signals share.
const OTLP_PROFILES_PATH = "v1development/profiles";

/** One row for each field of {@link DeliveryConfig}. */
export const deliverySettings: { readonly [K in keyof DeliveryConfig]: Setting<DeliveryConfig[K]> } = {
  exporters: {
    option: "exporters",
    env: env("PYROSCOPE_EXPORTERS"),
    fallback: ["pyroscope"],
    fallbackText: "pyroscope",
    kind: exportersKind,
    help: "Where profiles go: some of pyroscope (serverAddress), otlp, file; in code also objects with a function export.",
  },
  exportDirectory: {
    option: "exportDirectory",
    env: env("PYROSCOPE_EXPORT_DIRECTORY"),
    fallback: "pyroscope-profiles",
    fallbackText: "pyroscope-profiles",
    kind: textKind("a path"),
    help: "Where the exporter file writes pprof files; made when it does not exist.",
  },
  exportDirectoryBytes: {
    option: "exportDirectorySize",
    env: env("PYROSCOPE_EXPORT_DIRECTORY_SIZE"),
    fallback: 256 * 1024 ** 2,
    fallbackText: "256MiB",
    kind: sizeKind("64k", "1048576M"),
    help: "Bytes of all profiles in that directory; the oldest are deleted first.",
  },
  exportDirectoryFiles: {
    option: "exportDirectoryFiles",
    env: env("PYROSCOPE_EXPORT_DIRECTORY_FILES"),
    fallback: 1000,
    fallbackText: "1000",
    kind: integerKind(1, 1_000_000),
    help: "Profiles in that directory; the oldest are deleted first.",
  },
  otlpEndpoint: {
    option: "otlpEndpoint",
    env: [
      { name: "OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT" },
      {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        read: (raw) => `${raw.trim().replace(/\/+$/, "")}/${OTLP_PROFILES_PATH}`,
      },
    ],
    fallback: `http://localhost:4318/${OTLP_PROFILES_PATH}`,
    fallbackText: `http://localhost:4318/${OTLP_PROFILES_PATH}`,
    kind: httpUrlKind,
    help: "Whole URL that the exporter otlp posts profiles to. OTEL_EXPORTER_OTLP_ENDPOINT is without the path.",
  },
  otlpHeaders: {
    option: "otlpHeaders",
    env: env("OTEL_EXPORTER_OTLP_PROFILES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
    fallback: new Map(),
    fallbackText: "none",
    kind: otlpHeadersKind,
    help: "Headers of OTLP requests; as text a=b,c=d with percent-encoded values.",
    isSecret: true,
  },
  otlpTimeoutMs: {
    option: "otlpTimeout",
    env: env("OTEL_EXPORTER_OTLP_PROFILES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"),
    fallback: 10_000,
    fallbackText: "10s",
    kind: durationKind("100ms", "5m"),
    help: "Time that one OTLP request may take.",
  },
  otlpCompression: {
    option: "otlpCompression",
    env: env("OTEL_EXPORTER_OTLP_PROFILES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"),
    fallback: "gzip",
    fallbackText: "gzip",
    kind: choiceKind<"gzip" | "none">(["gzip", "none"]),
    help: "gzip or none.",
  },
  otlpResourceAttributes: {
    option: "otlpResourceAttributes",
    env: env("OTEL_RESOURCE_ATTRIBUTES"),
    fallback: [],
    fallbackText: "none",
    kind: resourceAttributesKind,
    help: "Attributes of the OTLP resource beside the labels of the process; as text a=b,c=d with percent-encoded values.",
  },
  tlsCa: {
    option: "tlsCa",
    env: env("PYROSCOPE_TLS_CA", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    fallback: undefined,
    fallbackText: "none",
    kind: certificateKind,
    help: "Authorities to trust beside those of Node: PEM, or the path of a PEM file.",
  },
  tlsCert: {
    option: "tlsCert",
    env: env("PYROSCOPE_TLS_CERT", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
    fallback: undefined,
    fallbackText: "none",
    kind: certificateKind,
    help: "Certificate of this client: PEM, or the path of a PEM file.",
  },
  tlsKey: {
    option: "tlsKey",
    env: env("PYROSCOPE_TLS_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
    fallback: undefined,
    fallbackText: "none",
    kind: privateKeyKind,
    help: "Private key of that certificate: PEM, or the path of a PEM file.",
    isSecret: true,
  },
  tlsRejectUnauthorized: {
    option: "tlsRejectUnauthorized",
    env: env("PYROSCOPE_TLS_REJECT_UNAUTHORIZED"),
    fallback: true,
    fallbackText: "true",
    kind: booleanKind,
    help: "false sends profiles and credentials to a server whose certificate is not valid.",
  },
  httpProxy: {
    option: "httpProxy",
    env: env("PYROSCOPE_HTTP_PROXY", "http_proxy", "HTTP_PROXY"),
    fallback: undefined,
    fallbackText: "none",
    kind: proxyKind,
    help: "URL of the proxy for http:// servers. This machine is reached without one.",
    isSecret: true,
  },
  httpsProxy: {
    option: "httpsProxy",
    env: env("PYROSCOPE_HTTPS_PROXY", "https_proxy", "HTTPS_PROXY"),
    fallback: undefined,
    fallbackText: "none",
    kind: proxyKind,
    help: "URL of the proxy for https:// servers, through which a tunnel leads.",
    isSecret: true,
  },
  noProxy: {
    option: "noProxy",
    env: env("PYROSCOPE_NO_PROXY", "no_proxy", "NO_PROXY"),
    fallback: undefined,
    fallbackText: "none",
    kind: textKind("names of servers"),
    help: "Servers that are reached without a proxy: names, .domains, address:port or *, separated by commas.",
  },
};
