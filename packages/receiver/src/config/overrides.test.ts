import { describe, expect, it } from "vitest";
import { parseOverrides } from "./overrides.ts";

const MEBIBYTE = 1024 * 1024;

describe("parseOverrides", () => {
  it("reads limits of pushes and queries by Pyroscope's names", () => {
    const overrides = parseOverrides(`
      overrides:
        team-payments:
          ingestion_rate_mb: 50
          ingestion_burst_size_mb: 100
          max_global_series_per_tenant: 10000000
          retention_period: 60d
          retention_levels: 1h=2y
          exemplars_retention: 7d
          tenant_storage_max_mb: 5
          max_query_length: 24h
          max_flamegraph_nodes_default: 100
          disable_label_sanitization: false
          max_recording_rules: 3
        team-ml: { ingestion_rate_mb: auto, compactor_blocks_retention_period: 0 }
        "42":
    `);

    expect(overrides.get("team-payments")).toEqual({
      ingest: {
        rateBytesPerSecond: 50 * MEBIBYTE,
        burstBytes: 100 * MEBIBYTE,
        maxSeries: 10_000_000,
        isLabelSanitizationDisabled: false,
      },
      query: { maxQueryLengthMs: 86_400_000, maxFlamegraphNodesDefault: 100 },
      rules: { maxRuleCount: 3 },
      retention: {
        retentionMillis: 60 * 86_400_000,
        levelMillis: { "1h": 730 * 86_400_000 },
        spanMillis: 7 * 86_400_000,
        maxTenantBytes: 5 * MEBIBYTE,
      },
    });
    expect(overrides.get("team-ml")).toEqual({
      ingest: { rateBytesPerSecond: -1 },
      query: {},
      rules: {},
      retention: { retentionMillis: 0 },
    });
    expect(overrides.get("42")).toEqual({ ingest: {}, query: {}, rules: {}, retention: {} });
  });

  it.for(["", "overrides:", "overrides: {}", "# nothing"])("takes a file without tenants: %j", (text) => {
    expect(parseOverrides(text).size).toBe(0);
  });

  it("reads relabeling rules, as a list or a text", () => {
    const rules = "[{ source_labels: [env], regex: dev, action: drop }]";
    const expected = { relabelRules: '[{"source_labels":["env"],"regex":"dev","action":"drop"}]' };

    for (const value of [rules, `"${rules}"`]) {
      const overrides = parseOverrides(`overrides: { a: { ingestion_relabeling_rules: ${value} } }`);
      expect(overrides.get("a")?.ingest).toEqual(expected);
    }
    expect(parseOverrides("overrides: { a: { ingestion_relabeling_rules: [] } }").get("a")?.ingest).toEqual({
      relabelRules: "",
    });
  });

  it("reads recording rules, as a list or a text", () => {
    const rules = `[{ metric_name: profiles_recorded_x, matchers: ['{__profile_type__="a:b:c:d:e"}'] }]`;
    const expected = {
      provisionedRules:
        '[{"metric_name":"profiles_recorded_x","matchers":["{__profile_type__=\\"a:b:c:d:e\\"}"]}]',
    };

    for (const value of [rules, JSON.stringify(rules)]) {
      expect(parseOverrides(`overrides: { a: { recording_rules: ${value} } }`).get("a")?.rules).toEqual(
        expected,
      );
    }
    for (const value of ["[]", ""]) {
      const { rules: none } =
        parseOverrides(`overrides: { a: { recording_rules: ${value} } }`).get("a") ?? {};
      expect(none).toEqual({ provisionedRules: "" });
    }
  });

  it.for([
    ["sample_type_relabeling_rules: []", "sample_type_relabeling_rules: [{ action: drop }]"],
    [
      "ingestion_relabeling_default_rules_position: first",
      "ingestion_relabeling_default_rules_position: last",
    ],
    ["distributor_aggregation_window: 0s", "distributor_aggregation_window: 1m"],
    ["keep_stripped_profiles: false", "keep_stripped_profiles: true"],
    ["symbolizer: { enabled: false }", "symbolizer: { enabled: true }"],
    ["ingestion_limit:", "ingestion_limit: { period_limit_mb: 5 }"],
  ] as const)("takes %j, which says that it is off, and refuses %j", ([off, on]) => {
    expect(parseOverrides(`overrides: { a: { ${off} } }`).get("a")?.ingest).toEqual({});
    expect(() => parseOverrides(`overrides: { a: { ${on} } }`)).toThrow(
      /^overrides\.a\.\w+=.*: this server does not have it: take it out$/,
    );
  });

  it("takes every limit of Pyroscope at its default", () => {
    const limits = `
          ingestion_rate_mb: 4
          ingestion_burst_size_mb: 2
          ingestion_body_limit_mb: 256
          push_max_concurrency: 256
          max_label_name_length: 1024
          max_label_value_length: 2048
          max_label_names_per_series: 30
          max_sessions_per_series: 0
          enforce_labels_order: false
          disable_label_sanitization: true
          max_profile_size_bytes: 4194304
          max_profile_stacktrace_samples: 16000
          max_profile_stacktrace_sample_labels: 100
          max_profile_stacktrace_depth: 1000
          max_profile_symbol_value_length: 65535
          max_local_series_per_tenant: 0
          max_global_series_per_tenant: 5000
          reject_older_than: 1h
          reject_newer_than: 10m
          max_query_length: 1d
          max_query_lookback: 1w
          max_query_parallelism: 0
          split_queries_by_interval: 0s
          max_flamegraph_nodes_default: 8192
          max_flamegraph_nodes_max: 1048576
          max_flamegraph_nodes_on_select_merge_profile: false
          max_async_query_concurrency: 5
          query_analysis_enabled: true
          query_analysis_series_enabled: false
          query_sanitize_on_merge: true
          retention_period: 31d
          compactor_blocks_retention_period: 0s
          compactor_downsampler_enabled: true
          ingestion_relabeling_rules: []
          ingestion_relabeling_default_rules_position: first
          sample_type_relabeling_rules: []
          distributor_usage_groups: {}
          distributor_sampling: {}
          keep_stripped_profiles: false
          include_stripped_profiles: false
          distributor_aggregation_window: 0s
          distributor_aggregation_period: 0s
          ingestion_limit: null
          ingestion_artificial_delay: 0s
          max_recording_rules: 25
          recording_rules: []
          symbolizer: { enabled: false }
          write_path: segment-writer
          enable_query_backend: true
          enable_query_backend_from: auto
    `;

    expect(parseOverrides(`overrides:\n  a:\n${limits}`).get("a")).toMatchObject({
      ingest: { maxSamples: 16000, isLabelSanitizationDisabled: true },
      query: { maxQueryLookbackMs: 7 * 86_400_000 },
      retention: { retentionMillis: 0 },
    });
  });

  it("takes names that bound something which is not here", () => {
    expect(parseOverrides("overrides: { a: { max_query_parallelism: 4 } }").get("a")).toEqual({
      ingest: {},
      query: {},
      rules: {},
      retention: {},
    });
  });

  it.for([
    ["overrides: { a: { ingestion_rate: 4 } }", "overrides.a.ingestion_rate: there is no such limit"],
    ["overrides: { a: { max_concurrent_queries: 4 } }", "there is no such limit"],
    [
      "overrides: { a: { max_query_length: long } }",
      'overrides.a.max_query_length="long": expected a duration such as 30d, 1h30m or 500ms',
    ],
    [
      "overrides: { a: { max_label_name_length: -1 } }",
      "overrides.a.max_label_name_length=-1: expected a whole number",
    ],
    [
      "overrides: { a: { max_label_name_length: [1] } }",
      "overrides.a.max_label_name_length=[1]: expected a whole number",
    ],
    [
      "overrides: { a: { ingestion_relabeling_rules: [{ action: hash }] } }",
      'overrides.a.ingestion_relabeling_rules=[{"action":"hash"}]: expected a list of relabeling rules',
    ],
    [
      "overrides: { a: { recording_rules: [{ metric_name: x }] } }",
      'overrides.a.recording_rules: rule 0: metric_name "x" is invalid: metric name must start with profiles_recorded_; no __profile_type__ matcher present',
    ],
    ["overrides: [a]", 'overrides: expected names with values, got ["a"]'],
    ["overrides: { a: 5 }", "overrides.a: expected names with values, got 5"],
    ["just text", 'the file: expected names with values, got "just text"'],
    ["overrides: {", "at line 1"],
    ["overrides: { a: {}, a: {} }", "Map keys must be unique"],
  ] as const)("refuses %s", ([text, message]) => {
    expect(() => parseOverrides(text)).toThrow(message);
  });

  it("refuses a file whose aliases unfold without end", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++) {
      lines.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(", ")}]`);
    }

    expect(() => parseOverrides(lines.join("\n"))).toThrow("Excessive alias count");
  });
});
