import { resolve } from "node:path";
import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import type { ProfileExporter } from "./exporter.ts";
import type { FileTarget } from "./file-exporter.ts";
import type { HttpTarget } from "./http-target.ts";
import { createHttpTarget } from "./http-target.ts";
import type { OtlpTarget } from "./otlp-exporter.ts";
import { createOtlpTarget } from "./otlp-target.ts";

/** Where an exporter sends to and how: plain data, so that it can be handed to another thread. */
export type ExporterTarget = HttpTarget | OtlpTarget | FileTarget;

/** The targets of the exporters that are chosen by name. */
export function createTargets(config: SdkConfig): readonly ExporterTarget[] {
  const { exporters, protocol, exportDirectory, exportDirectoryBytes, exportDirectoryFiles } = config;
  const targets: ExporterTarget[] = [];
  if (exporters.includes("pyroscope") && protocol !== "none")
    targets.push(createHttpTarget(config, protocol));
  if (exporters.includes("otlp")) targets.push(createOtlpTarget(config));
  if (exporters.includes("file")) {
    targets.push({
      kind: "file",
      // The program may change its working directory.
      directory: resolve(exportDirectory),
      maxBytes: exportDirectoryBytes,
      maxFiles: exportDirectoryFiles,
    });
  }
  return targets;
}

/** The exporter of a target, in the thread that calls this; its code is loaded only where it is used. */
export async function loadExporter(target: ExporterTarget, clock: Clock): Promise<ProfileExporter> {
  switch (target.kind) {
    case "file":
      return new (await import("./file-exporter.ts")).FileExporter(target);
    case "otlp":
      return new (await import("./otlp-exporter.ts")).OtlpExporter(target, clock);
    case "ingest":
      return new (await import("./ingest-exporter.ts")).IngestExporter(target, clock);
    case "push":
      return new (await import("./push-exporter.ts")).PushExporter(target, clock);
  }
}

/** What status() calls the exporter of a target. */
export function nameOfTarget({ kind }: ExporterTarget): string {
  return kind === "push" || kind === "ingest" ? "pyroscope" : kind;
}
