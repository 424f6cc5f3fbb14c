import { describe, expect, it } from "vitest";
import { resolveConfig } from "../config.ts";
import { parseOverrides } from "./overrides.ts";
import { createTenantLimits } from "./tenant-limits.ts";

const MEBIBYTE = 1024 * 1024;

function limitsOf(flags: Readonly<Record<string, string>>, overrides = "") {
  const parsed = parseOverrides(overrides);
  return createTenantLimits(resolveConfig({ flags }), () => parsed);
}

describe("createTenantLimits", () => {
  it("limits the rate of each of several tenants, and of a single one only when told to", () => {
    const several = { "auth.multitenancy-enabled": "true" };
    const rate = (flags: Readonly<Record<string, string>>) =>
      limitsOf(flags).ingestOf("a").rateBytesPerSecond;

    expect(rate({})).toBe(0);
    expect(rate({ "ingestion-rate-mb": "4" })).toBe(4 * MEBIBYTE);
    expect(rate(several)).toBe(4 * MEBIBYTE);
    expect(rate({ ...several, "ingestion-rate-mb": "0" })).toBe(0);
  });

  it("replaces only the limits that a tenant has its own of", () => {
    const limits = limitsOf(
      { "max-label-name-length": "7" },
      "overrides: { a: { max_label_value_length: 9 } }",
    );

    expect(limits.ingestOf("a")).toMatchObject({ maxLabelNameBytes: 7, maxLabelValueBytes: 9 });
    expect(limits.ingestOf("b")).toMatchObject({ maxLabelNameBytes: 7, maxLabelValueBytes: 2048 });
  });

  it("binds a query over several tenants to the smallest limit that any of them has", () => {
    const limits = limitsOf(
      { "max-flamegraph-nodes-default": "50" },
      "overrides: { a: { max_query_length: 2d, max_flamegraph_nodes_default: 20 }, b: { max_query_length: 1d } }",
    );

    expect(limits.queryOf(["a", "b", "c"])).toEqual({
      maxQueryLengthMs: 86_400_000,
      maxQueryLookbackMs: 0,
      maxFlamegraphNodesDefault: 20,
      maxFlamegraphNodesMax: 1_048_576,
      maxQueryMemoryBytes: 512 * 1024 * 1024,
    });
    expect(limits.queryOf(["c"])).toMatchObject({ maxQueryLengthMs: 0, maxFlamegraphNodesDefault: 50 });
  });
});
