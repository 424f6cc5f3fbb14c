import type { Clock } from "../clock.ts";
import type { ExportResult, ProfileExporter, ProfileUpload } from "./exporter.ts";
import type { HttpClient } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";
import type { HttpTarget } from "./http-target.ts";
import { sendUpload } from "./send-upload.ts";

/**
 * Sends each profile of a window as one `POST /ingest?format=pprof` with the pprof as its body, for servers
 * that do not have the push API. The server derives the profile name from the sample type there.
 *
 * Source: github.com/grafana/pyroscope pkg/ingester/pyroscope/ingest_handler.go.
 */
export class IngestExporter implements ProfileExporter {
  readonly #target: HttpTarget;
  readonly #clock: Clock;
  readonly #client: HttpClient;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  // What of the latest upload has arrived: an attempt at the rest must not send it twice.
  #arrivedIds: ReadonlySet<string> = new Set();

  constructor(target: HttpTarget, clock: Clock) {
    const { origin, pathname } = new URL(target.serverAddress);
    this.#target = target;
    this.#clock = clock;
    this.#client = createHttpClient(origin, target.connection);
    this.#path = `${pathname === "/" ? "" : pathname}/ingest`;
    this.#headers = { ...target.headers, "content-type": "application/octet-stream" };
  }

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const ids = upload.profiles.map(({ id }) => id);
    const arrivedIds = new Set(ids.filter((id) => this.#arrivedIds.has(id)));
    this.#arrivedIds = arrivedIds;
    for (const profile of upload.profiles) {
      if (arrivedIds.has(profile.id)) continue;
      const result = await sendUpload({
        client: this.#client,
        clock: this.#clock,
        serverAddress: this.#target.serverAddress,
        path: `${this.#path}?${formatIngestQuery(upload)}`,
        headers: this.#headers,
        body: profile.pprof,
        signal,
      });
      if (!result.ok) return result;
      arrivedIds.add(profile.id);
    }
    return { ok: true };
  }

  async shutdown(): Promise<void> {
    await this.#client.close();
  }
}

/** The query of `/ingest`: `name` is the application with its labels, times are whole seconds. */
export function formatIngestQuery(upload: ProfileUpload): string {
  const application = upload.labels.find(({ name }) => name === "service_name")?.value ?? "unknown_service";
  const pairs = upload.labels
    .filter(({ name }) => name !== "service_name")
    .map(({ name, value }) => `${name}=${value.replace(/[,}]/g, "_")}`);
  const query = new URLSearchParams({
    // The grammar of `name` has no escapes: what it cannot hold becomes an underscore.
    name: `${application.replace(/[^A-Za-z0-9_.\-/]/g, "_")}{${pairs.join(",")}}`,
    from: String(Math.floor(upload.startUnixMs / 1000)),
    until: String(Math.ceil(upload.endUnixMs / 1000)),
    format: "pprof",
    spyName: "nodespy",
  });
  return query.toString();
}
