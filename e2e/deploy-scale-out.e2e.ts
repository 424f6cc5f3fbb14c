import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { resolveConfig, settingRows } from "../packages/receiver/src/config.ts";
import { routes } from "../packages/receiver/src/http/routes.ts";
import { renderGoTemplate, type TemplateScope } from "./harness/go-template.ts";

const deploy = join(import.meta.dirname, "../deploy");
const environmentNames = new Set(settingRows.map(({ environmentName }) => environmentName));
const pushed = routes.filter(({ policy }) => policy === "push").map(({ path }) => path);

function read(path: string): string {
  return readFileSync(join(deploy, path), "utf8");
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          {
            readonly args: readonly string[];
            readonly env: readonly { readonly name: string; readonly value: string }[];
            readonly readinessProbe: { readonly httpGet: { readonly path: string } };
            readonly livenessProbe: { readonly httpGet: { readonly path: string } };
            readonly volumeMounts: readonly { readonly name: string }[];
          },
        ];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
    readonly rules: readonly {
      readonly http: {
        readonly paths: readonly {
          readonly path: string;
          readonly pathType: string;
          readonly backend: { readonly service: { readonly name: string } };
        }[];
      };
    }[];
  };
}

function renderChart(
  change: (values: Record<string, TemplateScope>) => void = () => undefined,
): readonly Manifest[] {
  const values = parse(read("helm/values.yaml")) as Record<string, TemplateScope>;
  change(values);
  const scope = { Values: values, Release: { Name: "profiles" } };
  return readdirSync(join(deploy, "helm/templates")).flatMap((name) =>
    parseAllDocuments(renderGoTemplate(read(`helm/templates/${name}`), scope))
      .map((document) => {
        expect(document.errors).toEqual([]);
        return document.toJS() as Manifest | null;
      })
      .filter((manifest) => manifest !== null),
  );
}

describe("the chart", () => {
  it("renders a deployment and a service for each part, whose settings the receiver takes", () => {
    const manifests = renderChart();
    const deployments = manifests.filter(({ kind }) => kind === "Deployment");

    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      "Deployment profiles-compact",
      "Deployment profiles-read",
      "Deployment profiles-write",
      "Service profiles-compact",
      "Service profiles-read",
      "Service profiles-write",
      "ServiceAccount profiles",
    ]);
    for (const { metadata, spec } of deployments) {
      const [container] = spec.template.spec.containers;
      const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
      const flags = { target: container.args[1]?.replace("--target=", "") };
      const secrets = { PYROSCOPE_CATALOG_POSTGRES_URL: "postgres://db/pyroscope" };
      const config = resolveConfig({ flags, environment: { ...environment, ...secrets } });
      expect(container.env.filter(({ name }) => !environmentNames.has(name))).toEqual([]);
      expect(metadata.name).toBe(`profiles-${config.bucket.target}`);
      expect(config.bucket).toMatchObject({ backend: "s3", bucketName: "profiles" });
      const probes = [container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet.path);
      expect(routes.map(({ path }) => path)).toEqual(expect.arrayContaining(probes));
      expect(container.volumeMounts.map(({ name }) => name)).toEqual(
        spec.template.spec.volumes.map(({ name }) => name),
      );
    }
  });

  it("sends what is pushed to the writers, and everything else to the readers", () => {
    const ingress = renderChart((values) => {
      values.ingress = { ...values.ingress, enabled: true };
    }).find(({ kind }) => kind === "Ingress");
    const paths = ingress?.spec.rules[0]?.http.paths ?? [];
    // The longest that fits, as an ingress does.
    const backendOf = (path: string): string | undefined =>
      paths
        .filter((rule) => (rule.pathType === "Exact" ? path === rule.path : path.startsWith(rule.path)))
        .toSorted((left, right) => right.path.length - left.path.length)[0]?.backend.service.name;

    const wrong = routes.filter(
      ({ path }) => (backendOf(path) === "profiles-write") !== pushed.includes(path),
    );

    expect(wrong).toEqual([]);
  });
});

describe("the Compose file", () => {
  it("has settings that the receiver takes, and a gateway that knows what is pushed", () => {
    const compose = parse(read("compose.scale-out.yaml"), { merge: true }) as {
      readonly services: Readonly<Record<string, { readonly command?: readonly string[] }>>;
    };
    const environment = Object.fromEntries(
      read("scale-out.env.example")
        .split("\n")
        .filter((line) => /^[A-Z]/.test(line))
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const targets = Object.values(compose.services)
      .map(({ command }) => command?.[1]?.replace("--target=", ""))
      .filter((target) => target !== undefined);

    expect(Object.keys(environment).filter((name) => !environmentNames.has(name))).toEqual([]);
    expect(targets).toEqual(["write", "read", "compact"]);
    for (const target of targets)
      expect(resolveConfig({ flags: { target }, environment }).bucket.target).toBe(target);

    const locations = [
      ...read("gateway.conf").matchAll(/location (= )?(\S+) \{ proxy_pass http:\/\/(\w+); \}/g),
    ];
    const upstreamOf = (path: string): string | undefined =>
      locations
        .filter(([, isExact, prefix = ""]) =>
          isExact === undefined ? path.startsWith(prefix) : path === prefix,
        )
        .toSorted(([, , left = ""], [, , right = ""]) => right.length - left.length)[0]?.[3];
    expect(routes.filter(({ path }) => (upstreamOf(path) === "write") !== pushed.includes(path))).toEqual([]);
  });
});
