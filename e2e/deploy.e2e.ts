import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricAliases, metricTable } from "../packages/receiver/src/telemetry/metrics.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const deploy = fileURLToPath(new URL("../deploy/", import.meta.url));
const read = (path: string): string => readFileSync(`${deploy}${path}`, "utf8");

/** Names of metrics in an expression, without values of labels and what a histogram adds. */
function metricsIn(text: string): readonly string[] {
  const names = text.replaceAll(/"[^"]*"/g, "").matchAll(/\b(?:pyroscope|process|nodejs)_[a-z0-9_]+/g);
  return [...new Set(Array.from(names, ([name]) => name.replace(/_(bucket|count|sum)$/, "")))];
}

let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;
let shown: ReadonlySet<string>;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
  const text = await (await fetch(`${receiver.address}/metrics`)).text();
  shown = new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name = ""]) => name));
}, 60_000);

afterAll(async () => {
  await receiver?.stop();
  await directory?.remove();
});

describe("GET /metrics of a receiver", () => {
  it("shows every metric of the table and every alias", () => {
    const names = [...Object.values(metricTable), ...metricAliases].map(({ name }) => name);

    expect([...shown]).toEqual(expect.arrayContaining(names));
  });
});

describe("deploy/", () => {
  const dashboards = readdirSync(`${deploy}grafana/dashboards`).map((name) => `grafana/dashboards/${name}`);

  it.for([...dashboards, "prometheus/alerts.yaml"])(
    "asks in %s for metrics that exist, and for no others",
    (path) => {
      const expressions = path.endsWith(".json")
        ? JSON.parse(read(path)).panels.flatMap(({ targets }: { targets: readonly { expr: string }[] }) =>
            targets.map(({ expr }) => expr),
          )
        : Array.from(read(path).matchAll(/^ +expr: (.*)$/gm), ([, expression = ""]) => expression);
      const names = [...new Set<string>(expressions.flatMap(metricsIn))];

      expect(expressions.length).toBeGreaterThan(5);
      expect(expressions.filter((expression: string) => metricsIn(expression).length === 0)).toEqual([]);
      expect(names.filter((name) => !shown.has(name))).toEqual([]);
    },
  );

  it("names the same data sources in the dashboard, in the link from spans, and where they are made", () => {
    const sources = read("grafana/provisioning/datasources/pyroscope.yaml");
    const made = Array.from(sources.matchAll(/^ {4}uid: (\S+)$/gm), ([, uid]) => uid);
    const used = dashboards.flatMap((path) =>
      Array.from(read(path).matchAll(/"uid": "(\w+)"/g), ([, uid]) => uid),
    );

    expect(made).toEqual(["pyroscope", "prometheus", "tempo"]);
    expect(new Set(used)).toEqual(new Set(["prometheus"]));
    expect(/^ {8}datasourceUid: (\S+)$/m.exec(sources)?.[1]).toBe("pyroscope");
    expect(sources).toContain("profileTypeId: process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  });
});
