import { create, PushRequestSchema, toBinary } from "@pyroscope-ts/protocol/messages";
import type { Clock } from "../clock.ts";
import type { Label } from "../labels/label.ts";
import { sortLabels } from "../labels/label.ts";
import type { ExportResult, ProfileExporter, ProfileUpload, UploadProfile } from "./exporter.ts";
import type { HttpClient } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";
import type { HeaderConfig } from "./send-upload.ts";
import { createHeaders, sendUpload } from "./send-upload.ts";

/** What an HTTP exporter needs. */
export interface HttpExporterOptions extends HeaderConfig {
  readonly serverAddress: string;
  readonly uploadTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Sends each window as one `push.v1.PusherService/Push` request (Connect, protobuf), in which the client names
 * every series: CPU arrives as `process_cpu` on any Pyroscope.
 *
 * Source: github.com/grafana/pyroscope api/push/v1/push.proto; the Connect protocol for unary requests.
 */
export class PushExporter implements ProfileExporter {
  readonly #options: HttpExporterOptions;
  readonly #client: HttpClient;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: HttpExporterOptions) {
    const { origin, pathname } = new URL(options.serverAddress);
    this.#options = options;
    this.#client = createHttpClient(origin, options.uploadTimeoutMs);
    this.#path = `${pathname === "/" ? "" : pathname}/push.v1.PusherService/Push`;
    this.#headers = { ...createHeaders(options), "content-type": "application/proto" };
  }

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    return await sendUpload({
      client: this.#client,
      clock: this.#options.clock,
      serverAddress: this.#options.serverAddress,
      path: this.#path,
      headers: this.#headers,
      body: encodePushRequest(upload),
      signal,
    });
  }

  async shutdown(): Promise<void> {
    await this.#client.close();
  }
}

/** The bytes of a `PushRequest`: one series for each profile name, its profiles in the order of the upload. */
export function encodePushRequest(upload: ProfileUpload): Uint8Array {
  const profilesByName = new Map<string, UploadProfile[]>();
  for (const profile of upload.profiles) {
    const profiles = profilesByName.get(profile.name) ?? [];
    profiles.push(profile);
    profilesByName.set(profile.name, profiles);
  }
  const series = Array.from(profilesByName, ([name, profiles]) => ({
    labels: seriesLabels(upload.labels, name),
    samples: profiles.map(({ id, pprof }) => ({ ID: id, rawProfile: pprof })),
  }));
  return toBinary(PushRequestSchema, create(PushRequestSchema, { series }));
}

function seriesLabels(labels: readonly Label[], name: string): Label[] {
  return [...sortLabels([["__name__", name], ...labels.map(({ name, value }) => [name, value] as const)])];
}
