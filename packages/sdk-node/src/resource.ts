import { randomBytes } from "node:crypto";
import type { SdkConfig } from "./config.ts";
import type { Label } from "./labels/label.ts";
import { formatLabelValue, sortLabels } from "./labels/label.ts";
import { PACKAGE_NAME, PACKAGE_VERSION } from "./version.ts";

// Pyroscope's default max_label_names_per_series; `__name__`, which the exporter adds, counts.
const MAX_SERIES_LABELS = 30;

// Leaves room for five labels of samples beside our own seven.
const MAX_TAGS = 18;

/** Labels that every profile of one run has, in order of their names. */
export interface Resource {
  readonly labels: readonly Label[];
  /** Labels that a sample may add before a server refuses the series. */
  readonly maxSampleLabels: number;
}

/**
 * Who sends the profiles: the application and its tags, the SDK and runtime as other Pyroscope SDKs name them,
 * and a random `__session_id__` that tells processes apart.
 *
 * Source: the labels of github.com/grafana/pyroscope-go and pyroscope-nodejs.
 */
export function createResource(
  config: Pick<SdkConfig, "applicationName" | "tags">,
  nodeVersion: string = process.versions.node,
): Resource {
  const labels = sortLabels(
    new Map([
      ...config.tags.slice(0, MAX_TAGS).map(({ name, value }) => [name, value] as const),
      ["__session_id__", randomBytes(8).toString("hex")],
      ["otel.scope.name", PACKAGE_NAME],
      ["otel.scope.version", PACKAGE_VERSION],
      ["process.runtime.name", "nodejs"],
      ["process.runtime.version", nodeVersion],
      ["service_name", formatLabelValue(config.applicationName) ?? config.applicationName],
    ]),
  );
  return { labels, maxSampleLabels: MAX_SERIES_LABELS - labels.length - 1 };
}
