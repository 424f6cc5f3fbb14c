import { describe, expect, it } from "vitest";
import type { SdkConfig } from "./config.ts";
import { silentLogger } from "./diagnostics.ts";
import type { PyroscopeOptions } from "./options.ts";
import { resolveConfig } from "./resolve-config.ts";

/** Options as a JavaScript program could give them. */
function untyped(options: Readonly<Record<string, unknown>>): PyroscopeOptions {
  return options as PyroscopeOptions;
}

describe("resolveConfig", () => {
  it.for<readonly [string, string, Partial<SdkConfig>]>([
    ["PYROSCOPE_ADHOC_SERVER_ADDRESS", "http://here:1", { serverAddress: "http://here:1" }],
    ["PYROSCOPE_AGENT_ENABLED", "false", { enabled: false }],
    ["PYROSCOPE_FLUSH_INTERVAL_MS", "5000", { uploadRateMs: 5000 }],
    ["PYROSCOPE_LABELS", "a=b", { tags: [{ name: "a", value: "b" }] }],
    ["PYROSCOPE_PROFILER_ALLOC", "256k", { heapSamplingIntervalBytes: 262_144 }],
    ["PYROSCOPE_PROFILING_INTERVAL", "20ms", { sampleRateHz: 50 }],
    ["PYROSCOPE_UPLOAD_INTERVAL", "15s", { uploadRateMs: 15_000 }],
    ["PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS", "5000", { sampleRateHz: 200 }],
  ])("takes %s of other SDKs", ([name, value, expected]) => {
    const { config, problems } = resolveConfig({}, { [name]: value });

    expect(problems).toEqual([]);
    expect(config).toMatchObject(expected);
  });

  it.for(["PYROSCOPE_PROFILING_INTERVAL", "PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS"])(
    "falls back when %s is no time",
    (name) => {
      const { config, problems } = resolveConfig({}, { [name]: "often" });

      expect(config.sampleRateHz).toBe(100);
      expect(problems).toEqual([expect.stringContaining(`${name}=`)]);
    },
  );

  it("takes names of options of other SDKs", () => {
    const { config, problems } = resolveConfig(
      untyped({ appName: "shop", tenantID: "t", flushIntervalMs: 5000, heap: { stackDepth: 16 } }),
      {},
    );

    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      applicationName: "shop",
      tenantId: "t",
      uploadRateMs: 5000,
      heapStackDepth: 16,
    });
  });

  it("says nothing more with the logger null", () => {
    expect(resolveConfig({ logger: null }, {})).toMatchObject({
      config: { logger: silentLogger },
      problems: [],
    });
  });
});
