import type { ProcessFacts } from "../process-facts.ts";

/** A process about which nothing is known but its host. */
export const fakeFacts: ProcessFacts = {
  environment: {},
  hostname: "host-1",
  packageName: undefined,
  packageVersion: undefined,
  kubernetesNamespace: undefined,
  thread: undefined,
  clusterWorkerId: undefined,
};
