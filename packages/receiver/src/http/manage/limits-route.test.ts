import { describe, expect, it } from "vitest";
import { parseOverrides } from "../../config/overrides.ts";
import { createTestApp } from "../../testing/create-test-app.ts";

const FILE = `overrides:
  team-a: { ingestion_rate_mb: 20, retention_period: 60d, max_label_names_per_series: 30 }
  team-b: { max_query_length: 12h, exemplars_retention: 7d }
`;

async function createLimitedApp() {
  const flags = { "auth.multitenancy-enabled": "true", retention: "30d", "exemplars-retention": "3d" };
  const { app } = await createTestApp({ flags, overrides: parseOverrides(FILE) });
  return async (url: string, tenant = "team-a") =>
    await app.inject({ url, headers: { "x-scope-orgid": tenant } });
}

describe("GET /runtime_config", () => {
  it("is a file of overrides with the tenants that were named, and no other", async () => {
    const ask = await createLimitedApp();
    const one = await ask("/runtime_config");
    const both = await ask("/runtime_config", "team-a|team-b|team-c");

    expect(one.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(one.body).not.toContain("team-b");
    expect(parseOverrides(one.body).get("team-a")).toEqual(parseOverrides(FILE).get("team-a"));
    expect(parseOverrides(both.body)).toEqual(parseOverrides(FILE));
    expect((await ask("/runtime_config", "team-c")).body).toBe("overrides: {}\n");
  });

  it("leaves out what holds for all, when it is asked to", async () => {
    const { body } = await (await createLimitedApp())("/runtime_config?mode=diff");

    expect(body).toBe('overrides:\n  "team-a":\n    ingestion_rate_mb: 20\n    retention_period: "60d"\n');
  });
});

describe("GET /api/v1/tenant_limits", () => {
  it("has every limit of the tenant, its own and those of all", async () => {
    const ask = await createLimitedApp();

    expect((await ask("/api/v1/tenant_limits")).json()).toMatchObject({
      ...{ ingestion_rate_mb: 20, retention_period: "60d", max_label_names_per_series: 30 },
      ...{ max_recording_rules: 25, max_query_length: 0, exemplars_retention: "3d" },
    });
    // With several tenants each has 4 MiB a second.
    expect((await ask("/api/v1/tenant_limits", "team-b")).json()).toMatchObject({
      ...{ ingestion_rate_mb: 4, retention_period: "30d", max_query_length: "12h" },
      exemplars_retention: "7d",
    });
  });

  it("is one tenant's", async () => {
    expect((await (await createLimitedApp())("/api/v1/tenant_limits", "team-a|team-b")).statusCode).toBe(400);
  });
});

describe("GET /metrics", () => {
  it("has the limits that are numbers, times in seconds", async () => {
    const { body } = await (await createLimitedApp())("/metrics");
    const lines = body.split("\n").filter((line) => line.startsWith("pyroscope_limits_"));

    expect(lines).toContain('pyroscope_limits_defaults{limit_name="ingestion_rate_mb"} 4');
    expect(lines).toContain('pyroscope_limits_defaults{limit_name="retention_period"} 2592000');
    expect(lines.filter((line) => line.includes("overrides"))).toEqual([
      'pyroscope_limits_overrides{limit_name="ingestion_rate_mb",tenant="team-a"} 20',
      'pyroscope_limits_overrides{limit_name="max_label_names_per_series",tenant="team-a"} 30',
      'pyroscope_limits_overrides{limit_name="retention_period",tenant="team-a"} 5184000',
      'pyroscope_limits_overrides{limit_name="max_query_length",tenant="team-b"} 43200',
      'pyroscope_limits_overrides{limit_name="exemplars_retention",tenant="team-b"} 604800',
    ]);
  });
});
