import { randomBytes } from "node:crypto";
import type { SdkConfig } from "./config.ts";
import type { Label } from "./labels/label.ts";
import { formatLabelValue, isIdLabel, sanitizeLabelName, sortLabels } from "./labels/label.ts";
import { PACKAGE_NAME, PACKAGE_VERSION } from "./version.ts";

// Pyroscope's default max_label_names_per_series; `__name__`, which the exporter adds, counts.
const MAX_SERIES_LABELS = 30;

// Tags and what was detected; leaves room for four labels of samples beside our own seven.
const MAX_TAGS = 18;

/** Labels that every profile of one run has, in order of their names. */
export interface Resource {
  readonly labels: readonly Label[];
  /** Labels that a sample may add before a server refuses the series. */
  readonly maxSampleLabels: number;
  /** Names of the tags for which there was no room. */
  readonly droppedTags: readonly string[];
}

/** What a resource is made from beside the configuration. */
export interface ResourceParts {
  /** Labels that nobody asked for, the most telling first: tags win over them, and for the last there may be no room. */
  readonly detected?: readonly (readonly [string, string])[];
  /** Of another process, where it is not this one. */
  readonly nodeVersion?: string;
}

/**
 * Who sends the profiles: the application and its tags, the SDK and runtime as other Pyroscope SDKs name them,
 * and a random `__session_id__` that tells processes apart.
 *
 * Source: the labels of github.com/grafana/pyroscope-go and pyroscope-nodejs.
 */
export function createResource(
  config: Pick<SdkConfig, "applicationName" | "tags">,
  { detected = [], nodeVersion = process.versions.node }: ResourceParts = {},
): Resource {
  const chosen = new Map(config.tags.slice(0, MAX_TAGS).map(({ name, value }) => [name, value]));
  for (const [rawName, rawValue] of detected) {
    const [name, value] = [sanitizeLabelName(rawName), formatLabelValue(rawValue)];
    const isUsable = name !== undefined && value !== undefined && !isIdLabel(name);
    if (isUsable && chosen.size < MAX_TAGS && !chosen.has(name)) chosen.set(name, value);
  }
  const labels = sortLabels(
    new Map([
      ...chosen,
      ["__session_id__", randomBytes(8).toString("hex")],
      ["otel.scope.name", PACKAGE_NAME],
      ["otel.scope.version", PACKAGE_VERSION],
      ["process.runtime.name", "nodejs"],
      ["process.runtime.version", nodeVersion],
      ["service_name", formatLabelValue(config.applicationName) ?? config.applicationName],
    ]),
  );
  return {
    labels,
    // `__name__` counts, and so does the `capture` that some windows have.
    maxSampleLabels: MAX_SERIES_LABELS - labels.length - 2,
    droppedTags: config.tags.slice(MAX_TAGS).map(({ name }) => name),
  };
}
