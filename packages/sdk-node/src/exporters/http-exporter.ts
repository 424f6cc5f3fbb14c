import type { Clock } from "../clock.ts";
import type { ProfileExporter } from "./exporter.ts";
import type { HttpTarget } from "./http-target.ts";
import { IngestExporter } from "./ingest-exporter.ts";
import { PushExporter } from "./push-exporter.ts";

/** The exporter that speaks the protocol of `target`, in the thread that calls this. */
export function createHttpExporter(target: HttpTarget, clock: Clock): ProfileExporter {
  return target.protocol === "ingest" ? new IngestExporter(target, clock) : new PushExporter(target, clock);
}
