import { type SdkConfig, settings } from "./config.ts";
import { detectLabels } from "./detect-labels.ts";
import type { Diagnostics } from "./diagnostics.ts";
import type { ProcessFacts } from "./process-facts.ts";
import type { Resource } from "./resource.ts";
import { createResource } from "./resource.ts";

/** What every profile of this process carries; says what it had to guess or leave out. */
export function createProcessResource(
  config: SdkConfig,
  facts: ProcessFacts,
  diagnostics: Diagnostics,
): Resource {
  const isNamed = config.applicationName !== settings.applicationName.fallback;
  const applicationName = isNamed ? config.applicationName : (facts.packageName ?? config.applicationName);
  if (!isNamed) {
    diagnostics.warn(`applicationName is not set: profiles appear as ${applicationName}`);
  }
  const detected = config.detectLabels ? detectLabels(facts, config.maxLabelValues) : [];
  const resource = createResource({ ...config, applicationName }, { detected });
  if (resource.droppedTags.length > 0) {
    diagnostics.warn(`tags ignored, a profile has room for 18: ${resource.droppedTags.join(", ")}`);
  }
  return resource;
}
