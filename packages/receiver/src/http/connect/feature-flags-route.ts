import type { ServiceImpl } from "@connectrpc/connect";
import type { FeatureFlagsService } from "@pyroscope-ts/protocol/messages";

/** One thing that clients may ask whether the server can do it. Names are Pyroscope's (pkg/featureflags). */
interface FeatureFlagRow {
  readonly name: string;
  readonly enabled: boolean;
  readonly description: string;
}

const featureFlags: readonly FeatureFlagRow[] = [
  {
    name: "V2StorageLayer",
    enabled: true,
    description: "Queries are answered as by Pyroscope's second storage: heat maps, exemplars, call graphs.",
  },
  { name: "PyroscopeRuler", enabled: true, description: "Recording rules." },
  { name: "PyroscopeRulerFunctions", enabled: true, description: "Recording rules of single functions." },
  {
    name: "UTF8LabelNames",
    enabled: true,
    description: "Label names of any character, for clients that say that they take them.",
  },
];

/** `capabilities.v1.FeatureFlagsService`: what Drilldown asks before it shows a page. */
export function createFeatureFlags(): ServiceImpl<typeof FeatureFlagsService> {
  return {
    getFeatureFlags: () => ({
      featureFlags: featureFlags.map((flag) => ({ ...flag })),
    }),
  };
}
