import type { Counter, Gauge } from "prom-client";
import { describe, expect, it } from "vitest";
import { createMetrics, metricAliases, metricTable } from "./metrics.ts";

describe("metricTable", () => {
  it("names and explains every metric by Prometheus's rules", () => {
    const rows = Object.values(metricTable);

    expect(rows.filter(({ name }) => !/^pyroscope_[a-z0-9_]+$/.test(name))).toEqual([]);
    expect(rows.filter(({ kind, name }) => (kind === "counter") !== name.endsWith("_total"))).toEqual([]);
    expect(rows.filter(({ help }) => !/^[\dA-Z].*\.$/.test(help))).toEqual([]);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });
});

describe("metricAliases", () => {
  it("names no metric twice", () => {
    const names = [...Object.values(metricTable), ...metricAliases].map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^pyroscope_[a-z0-9_]+$/.test(name))).toEqual([]);
  });

  it.for(metricAliases)("shows the numbers of $of as $name, too", async ({ of, name }) => {
    const { metrics, render } = createMetrics({ isProcessIncluded: false });
    const labels = Object.fromEntries(metricTable[of].labels.map((label) => [label, "x"]));

    (metrics[of] as Counter | Gauge).inc(labels, 7);

    const lines = (await render()).split("\n");
    const values = lines.filter((line) => !line.startsWith("#") && line.endsWith(" 7"));
    expect(values.map((line) => line.replace(/[{ ].*/, ""))).toContain(name);
    expect(lines.filter((line) => line.startsWith(`# TYPE ${name} `))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1);
  });
});

describe("createMetrics", () => {
  it("renders what was counted, by its labels", async () => {
    const { metrics, render } = createMetrics({ isProcessIncluded: false });

    metrics.discardedSamples.inc({ reason: "malformed_profile", tenant: "a" }, 2);

    expect(await render()).toContain(
      'pyroscope_discarded_samples_total{reason="malformed_profile",tenant="a"} 2',
    );
  });

  it("shares no numbers between two receivers", async () => {
    const first = createMetrics({ isProcessIncluded: false });
    const second = createMetrics({ isProcessIncluded: false });

    first.metrics.receivedProfiles.inc({ tenant: "a" });

    expect(await second.render()).not.toContain('pyroscope_received_profiles_total{tenant="a"}');
  });

  it("includes the process and its event loop when asked to", async () => {
    const text = await createMetrics({ isProcessIncluded: true }).render();

    expect(text).toContain("process_resident_memory_bytes");
    expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
  });
});
