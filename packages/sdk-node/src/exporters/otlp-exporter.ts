import { gzipSync } from "node:zlib";
import { ExportProfilesServiceResponseSchema, fromBinary } from "@pyroscope-ts/protocol/messages";
import type { Clock } from "../clock.ts";
import { SdkError } from "../errors.ts";
import type { ExportResult, ProfileExporter, ProfileUpload } from "./exporter.ts";
import type { HttpClient } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";
import type { HttpConnection } from "./http-connection.ts";
import { encodeOtlpRequest } from "./otlp-request.ts";
import { sendUpload, toLine } from "./send-upload.ts";

/** A collector or server that takes OTLP. */
export interface OtlpTarget {
  readonly kind: "otlp";
  /** The whole URL that profiles are posted to, without user and password. */
  readonly endpoint: string;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isCompressed: boolean;
  readonly connection: HttpConnection;
  /** Attributes of the resource beside the labels of the run, which win. */
  readonly resourceAttributes: readonly (readonly [string, string])[];
}

/**
 * Sends each window as one OTLP/HTTP request in protobuf, of the signal profiles, which is in development:
 * the layout is that of opentelemetry-proto 1.10.
 *
 * Source: the OTLP specification 1.10; opentelemetry-proto profiles/v1development.
 */
export class OtlpExporter implements ProfileExporter {
  readonly #target: OtlpTarget;
  readonly #clock: Clock;
  readonly #client: HttpClient;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(target: OtlpTarget, clock: Clock) {
    const { origin, pathname, search } = new URL(target.endpoint);
    this.#target = target;
    this.#clock = clock;
    this.#client = createHttpClient(origin, target.connection);
    this.#path = `${pathname}${search}`;
    const encoding = target.isCompressed ? { "content-encoding": "gzip" } : {};
    this.#headers = { ...target.headers, ...encoding, "content-type": "application/x-protobuf" };
  }

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const bytes = encodeOtlpRequest(upload, this.#target.resourceAttributes);
    return await sendUpload({
      client: this.#client,
      clock: this.#clock,
      serverAddress: this.#target.endpoint,
      path: this.#path,
      headers: this.#headers,
      body: this.#target.isCompressed ? gzipSync(bytes) : bytes,
      signal,
      checkAnswer: (body) => checkPartialSuccess(this.#target.endpoint, body),
    });
  }

  async shutdown(): Promise<void> {
    await this.#client.close();
  }
}

/** A 200 may say that some of it was not taken: that is never sent again. */
function checkPartialSuccess(endpoint: string, body: Uint8Array): SdkError | undefined {
  let rejectedProfiles = 0n;
  let message = "";
  try {
    const { partialSuccess } = fromBinary(ExportProfilesServiceResponseSchema, body);
    rejectedProfiles = partialSuccess?.rejectedProfiles ?? 0n;
    message = partialSuccess?.errorMessage ?? "";
  } catch {
    // Some servers answer JSON or text whatever was asked: what counts is the status.
  }
  if (rejectedProfiles === 0n) return undefined;
  return new SdkError(`upload to ${endpoint}: ${rejectedProfiles} profiles rejected: ${toLine(message)}`, {
    code: "EXPORT_REJECTED",
  });
}
