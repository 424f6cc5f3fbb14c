import { describe, expect, it } from "vitest";
import { detectLabels } from "./detect-labels.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { readProcessFacts } from "./process-facts.ts";
import { createResource } from "./resource.ts";
import { fakeFacts } from "./testing/fake-facts.ts";

const detect = (facts: Partial<ProcessFacts>, maxThreads = 200) =>
  Object.fromEntries(detectLabels({ ...fakeFacts, ...facts }, maxThreads));

describe("detectLabels", () => {
  it("knows a plain process by its host and version", () => {
    expect(detect({ packageVersion: "1.2.3" })).toEqual({ hostname: "host-1", service_version: "1.2.3" });
  });

  it.for([
    [
      "GitHub Actions",
      { GITHUB_SHA: "abc", GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "a/b" },
      "https://github.com/a/b",
    ],
    ["GitLab", { CI_COMMIT_SHA: "abc", CI_PROJECT_URL: "https://gitlab.com/a/b" }, "https://gitlab.com/a/b"],
    ["Buildkite", { BUILDKITE_COMMIT: "abc", BUILDKITE_REPO: "git@x:a/b.git" }, "git@x:a/b.git"],
    ["a build argument", { GIT_COMMIT: "abc", GITHUB_SHA: "of the workflow" }, undefined],
  ] as const)("reads commit and repository from %s", ([, environment, repository]) => {
    const { service_git_ref, service_repository } = detect({ environment });

    expect({ service_git_ref, service_repository }).toEqual({
      service_git_ref: "abc",
      service_repository: repository,
    });
  });

  it("reads where it is deployed, and has no host name that is the pod's", () => {
    const environment = { POD_NAME: "shop-1", NODE_NAME: "node-7", KUBERNETES_SERVICE_HOST: "10.0.0.1" };

    expect(detect({ environment, hostname: "shop-1", kubernetesNamespace: "prod" })).toEqual({
      namespace: "prod",
      node: "node-7",
      pod: "shop-1",
    });
  });

  it("takes what OpenTelemetry says first, without names and ids of one process", () => {
    const environment = {
      OTEL_RESOURCE_ATTRIBUTES:
        "service.name=shop,service.version=2,deployment.environment.name=prod,team=a%20b,process.pid=7,k8s.pod.uid=x,host.name=h",
      POD_NAMESPACE: "ns",
    };

    expect(detect({ environment, packageVersion: "1" })).toEqual({
      deployment_environment: "prod",
      hostname: "h",
      namespace: "ns",
      service_version: "2",
      team: "a b",
    });
  });

  it("tells threads, forked processes and those of PM2 apart; threads beyond the limit share a label", () => {
    expect(detect({ thread: { id: 3, name: "resize" } })).toMatchObject({
      thread_id: "3",
      thread_name: "resize",
    });
    expect(detect({ thread: { id: 200, name: undefined } }).thread_id).toBe("200");
    expect(detect({ thread: { id: 201, name: undefined } }).thread_id).toBe("__overflow__");
    expect(detect({ clusterWorkerId: 2 }).cluster_worker).toBe("2");
    expect(detect({ environment: { NODE_APP_INSTANCE: "0", pm_id: "4" } }).pm2_instance).toBe("0");
  });
});

describe("readProcessFacts", () => {
  it("reads this process", () => {
    const facts = readProcessFacts({ A: "b" });

    expect(facts).toMatchObject({ environment: { A: "b" }, kubernetesNamespace: undefined });
    expect(facts.hostname).not.toBe("");
  });
});

describe("createResource", () => {
  const tags = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `t${i}`, value: "x" }));
  const namesOf = (resource: ReturnType<typeof createResource>) => resource.labels.map(({ name }) => name);

  it("lets tags win over what was detected, and leaves room for labels of samples", () => {
    const detected = [
      ["t0", "detected"],
      ["pod", "p"],
      ["hostname", "h"],
    ] as const;
    const resource = createResource({ applicationName: "app", tags: tags(17) }, { detected });

    expect(resource.labels.find(({ name }) => name === "t0")?.value).toBe("x");
    expect(namesOf(resource)).toContain("pod");
    expect(namesOf(resource)).not.toContain("hostname");
    expect(resource.maxSampleLabels).toBe(4);
    expect(resource.droppedTags).toEqual([]);
  });

  it("names the tags for which there is no room", () => {
    expect(createResource({ applicationName: "app", tags: tags(20) }).droppedTags).toEqual(["t18", "t19"]);
  });

  it("makes labels of any server from detected ones, and none of ids", () => {
    const detected = [
      ["a.b-c", "1"],
      ["trace_id", "2"],
      ["__x", "3"],
      ["empty", ""],
    ] as const;

    expect(namesOf(createResource({ applicationName: "app", tags: [] }, { detected }))).toEqual([
      "__session_id__",
      "a_b_c",
      "otel.scope.name",
      "otel.scope.version",
      "process.runtime.name",
      "process.runtime.version",
      "service_name",
    ]);
  });
});
