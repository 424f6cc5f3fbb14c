import { OVERFLOW_VALUE } from "./labels/label.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { parsePairs } from "./setting.ts";

// Each the commit that a build was made from; the first that is set counts.
const COMMIT_VARIABLES: readonly string[] = [
  "GIT_COMMIT",
  "GIT_SHA",
  "COMMIT_SHA",
  "GITHUB_SHA",
  "CI_COMMIT_SHA",
  "BUILDKITE_COMMIT",
  "CIRCLE_SHA1",
  "BITBUCKET_COMMIT",
  "BUILD_SOURCEVERSION",
  "DRONE_COMMIT_SHA",
  "VERCEL_GIT_COMMIT_SHA",
  "RENDER_GIT_COMMIT",
  "RAILWAY_GIT_COMMIT_SHA",
  "HEROKU_SLUG_COMMIT",
  "SOURCE_VERSION",
];

const REPOSITORY_VARIABLES: readonly string[] = ["GIT_REPOSITORY_URL", "CI_PROJECT_URL", "BUILDKITE_REPO"];

/** Attributes of OpenTelemetry under the names that Pyroscope has for the same. */
const ATTRIBUTE_LABELS: ReadonlyMap<string, string> = new Map([
  ["deployment.environment.name", "deployment_environment"],
  ["host.name", "hostname"],
  ["k8s.namespace.name", "namespace"],
  ["k8s.node.name", "node"],
  ["k8s.pod.name", "pod"],
  ["vcs.ref.head.revision", "service_git_ref"],
  ["vcs.repository.url.full", "service_repository"],
]);

// Ids of one process or container: each restart would begin new series, and __session_id__ tells processes apart already.
const UNBOUNDED_ATTRIBUTES: ReadonlySet<string> = new Set([
  "container.id",
  "k8s.pod.uid",
  "process.pid",
  "process.parent_pid",
  "service.instance.id",
]);

/**
 * Labels that a process has without being told, the most telling first: what `OTEL_RESOURCE_ATTRIBUTES` says, else what
 * the environment, package.json and the machine say. No process id: each restart would begin new series.
 *
 * @param maxThreads - threads with a higher id share one label, so that a pool which starts anew for each task does not
 * begin a series each time.
 */
export function detectLabels(
  facts: ProcessFacts,
  maxThreads: number,
): readonly (readonly [string, string])[] {
  const { environment, thread } = facts;
  const firstOf = (...names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]?.trim()).find((value) => value !== undefined && value !== "");
  const pod = firstOf("POD_NAME", "K8S_POD_NAME", "KUBERNETES_POD_NAME");
  const detected: readonly (readonly [string, string | undefined])[] = [
    ["thread_name", thread?.name],
    ["thread_id", thread && (thread.id > maxThreads ? OVERFLOW_VALUE : String(thread.id))],
    ["cluster_worker", facts.clusterWorkerId?.toString()],
    ["pm2_instance", firstOf("NODE_APP_INSTANCE", "pm_id")],
    ...readAttributes(environment.OTEL_RESOURCE_ATTRIBUTES),
    ["service_version", firstOf("SERVICE_VERSION") ?? facts.packageVersion],
    ["service_git_ref", firstOf(...COMMIT_VARIABLES)],
    ["service_repository", findRepository(firstOf)],
    [
      "namespace",
      firstOf("POD_NAMESPACE", "K8S_NAMESPACE", "KUBERNETES_NAMESPACE") ?? facts.kubernetesNamespace,
    ],
    ["pod", pod],
    ["node", firstOf("NODE_NAME", "K8S_NODE_NAME")],
    // A pod's host name is its own.
    ["hostname", pod === facts.hostname ? undefined : facts.hostname],
  ];
  const labels = new Map<string, string>();
  for (const [name, value] of detected) {
    if (value !== undefined && value !== "" && !labels.has(name)) labels.set(name, value);
  }
  return [...labels];
}

function findRepository(firstOf: (...names: readonly string[]) => string | undefined): string | undefined {
  const url = firstOf(...REPOSITORY_VARIABLES);
  if (url !== undefined) return url;
  const [server, repository] = [firstOf("GITHUB_SERVER_URL"), firstOf("GITHUB_REPOSITORY")];
  return server === undefined || repository === undefined ? undefined : `${server}/${repository}`;
}

/** The application's own name is no label here. */
function readAttributes(text: string | undefined): readonly (readonly [string, string])[] {
  return (parsePairs(text ?? "") ?? []).flatMap(([name, value]) =>
    name === "service.name" || UNBOUNDED_ATTRIBUTES.has(name)
      ? []
      : [[ATTRIBUTE_LABELS.get(name) ?? name.replaceAll(".", "_"), decode(value)] as const],
  );
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
