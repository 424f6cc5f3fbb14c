import { encodePush, type PushSample } from "@pyroscope-ts/protocol/profiler";
import type { Clock } from "../clock.ts";
import type { Label } from "../labels/label.ts";
import { sortLabels } from "../labels/label.ts";
import type { ExportResult, ProfileExporter, ProfileUpload } from "./exporter.ts";
import type { HttpClient } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";
import type { HttpTarget } from "./http-target.ts";
import { sendUpload } from "./send-upload.ts";

/**
 * Sends each window as one `push.v1.PusherService/Push` request (Connect, protobuf), in which the client names
 * every series: CPU arrives as `process_cpu` on any Pyroscope.
 *
 * Source: github.com/grafana/pyroscope api/push/v1/push.proto; the Connect protocol for unary requests.
 */
export class PushExporter implements ProfileExporter {
  readonly #target: HttpTarget;
  readonly #clock: Clock;
  readonly #client: HttpClient;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(target: HttpTarget, clock: Clock) {
    const { origin, pathname } = new URL(target.serverAddress);
    this.#target = target;
    this.#clock = clock;
    this.#client = createHttpClient(origin, target.connection);
    this.#path = `${pathname === "/" ? "" : pathname}/push.v1.PusherService/Push`;
    const accept: Record<string, string> = target.takesOrders ? { "x-pyroscope-accept-capture": "1" } : {};
    this.#headers = { ...target.headers, ...accept, "content-type": "application/proto" };
  }

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    return await sendUpload({
      client: this.#client,
      clock: this.#clock,
      serverAddress: this.#target.serverAddress,
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
  const samplesByName = new Map<string, PushSample[]>();
  for (const profile of upload.profiles) {
    const samples = samplesByName.get(profile.name) ?? [];
    samples.push(profile);
    samplesByName.set(profile.name, samples);
  }
  return encodePush(
    Array.from(samplesByName, ([name, samples]) => ({ labels: seriesLabels(upload.labels, name), samples })),
  );
}

function seriesLabels(labels: readonly Label[], name: string): Label[] {
  return [...sortLabels([["__name__", name], ...labels.map(({ name, value }) => [name, value] as const)])];
}
