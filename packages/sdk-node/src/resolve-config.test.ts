import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { settings } from "./config.ts";
import type { PyroscopeOptions } from "./options.ts";
import { checkProblems, isSameConfig, resolveConfig } from "./resolve-config.ts";

/** Options as a JavaScript program could give them. */
function untyped(options: Readonly<Record<string, unknown>>): PyroscopeOptions {
  return options as PyroscopeOptions;
}

describe("resolveConfig", () => {
  it("has the documented defaults", () => {
    const { config, problems } = resolveConfig({}, {});

    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      applicationName: "unknown_service",
      serverAddress: "http://localhost:4040",
      uploadRateMs: 15_000,
      sampleRateHz: 100,
      profileTypes: ["cpu", "wall", "inuse_objects", "inuse_space"],
      protocol: "push",
      strict: false,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it("prefers the option to the environment and the environment to the default", () => {
    const environment = { PYROSCOPE_APPLICATION_NAME: "from-env", PYROSCOPE_UPLOAD_INTERVAL: "30s" };

    const { config } = resolveConfig({ applicationName: "from-code" }, environment);

    expect(config.applicationName).toBe("from-code");
    expect(config.uploadRateMs).toBe(30_000);
  });

  it("takes the name from OpenTelemetry's variables where ours are not set", () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: "service.version=1,service.name=my%20shop" };

    expect(resolveConfig({}, attributes).config.applicationName).toBe("my shop");
    expect(resolveConfig({}, { ...attributes, OTEL_SERVICE_NAME: "otel" }).config.applicationName).toBe(
      "otel",
    );
  });

  it("names key, value and source of a bad option, and falls back to the environment", () => {
    const { config, problems } = resolveConfig(untyped({ uploadRate: "10 parsecs" }), {
      PYROSCOPE_UPLOAD_RATE: "20s",
    });

    expect(config.uploadRateMs).toBe(20_000);
    expect(problems).toEqual([
      'uploadRate="10 parsecs" ignored: expected milliseconds or a duration such as "15s", from 100ms to 1h',
    ]);
  });

  it("names key and value of a bad environment variable, and falls back to the default", () => {
    const { config, problems } = resolveConfig({}, { PYROSCOPE_SAMPLE_RATE: "often" });

    expect(config.sampleRateHz).toBe(100);
    expect(problems).toEqual([
      'PYROSCOPE_SAMPLE_RATE="often" ignored: expected a whole number from 1 to 1000',
    ]);
  });

  // One row for each setting: the first rejected value, as a program or an operator would get it wrong.
  it.for([
    { applicationName: 5 },
    { applicationName: "  " },
    { serverAddress: "localhost:4040" },
    { serverAddress: "ftp://x" },
    { serverAddress: "not_a_url" },
    { enabled: "yes" },
    { tags: "a=b" },
    { tags: { "": "x" } },
    { tags: { a: {} } },
    { uploadRate: 0 },
    { uploadRate: -5 },
    { uploadRate: Number.NaN },
    { profileTypes: [] },
    { profileTypes: ["gpu"] },
    { sampleRate: 0 },
    { sampleRate: 1001 },
    { heapSamplingIntervalBytes: 1 },
    { heapStackDepth: 0 },
    { authToken: "line\nbreak" },
    { authToken: "tökén" },
    { basicAuthUser: 5 },
    { basicAuthUser: "a:b" },
    { basicAuthPassword: 5 },
    { tenantId: "a\r\nb" },
    { httpHeaders: { "bad name": "x" } },
    { httpHeaders: { good: "line\nbreak" } },
    { protocol: "carrier-pigeon" },
    { uploadTimeout: 1 },
    { uploadQueueSize: 1 },
    { flushOnExit: 1 },
    { exitTimeout: "soon" },
    { maxLabelValues: 0 },
    { maxLabelSets: 0 },
    { logger: {} },
    { logLevel: "loud" },
    { strict: "true" },
  ])("reports %j in one line and uses the default", (options) => {
    const { config, problems } = resolveConfig(untyped(options), {});

    const fallback = resolveConfig({}, {}).config;
    expect(problems).toHaveLength(1);
    expect(isSameConfig(config, fallback)).toBe(true);
  });

  it("reports an option that does not exist", () => {
    expect(resolveConfig(untyped({ appTitle: "x" }), {}).problems).toEqual([
      "unknown option appTitle ignored",
    ]);
  });

  it("survives values that cannot be printed", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;

    expect(resolveConfig(untyped({ uploadRate: cyclic }), {}).problems[0]).toContain(
      "uploadRate=[object Object]",
    );
    expect(resolveConfig(untyped({ uploadRate: 10n }), {}).problems[0]).toContain("uploadRate=10 ");
    expect(resolveConfig(untyped({ uploadRate: "x".repeat(1000) }), {}).problems[0]?.length).toBeLessThan(
      250,
    );
  });

  it("counts an empty environment variable and a null option as absent", () => {
    const { config, problems } = resolveConfig(untyped({ authToken: null }), { PYROSCOPE_AUTH_TOKEN: " " });

    expect(config.authToken).toBeUndefined();
    expect(problems).toEqual([]);
  });

  it("takes user and password out of the server address", () => {
    const { config } = resolveConfig({ serverAddress: "https://me:p%40ss@host:8443/prefix///" }, {});

    expect(config.serverAddress).toBe("https://host:8443/prefix");
    expect(config.basicAuthUser).toBe("me");
    expect(config.basicAuthPassword?.reveal()).toBe("p@ss");
  });

  it("sanitises tags and turns their values into text", () => {
    const { config } = resolveConfig(
      { tags: { "my-tag": 1, "a b": true, "1st": "x", empty: "", none: null } },
      {},
    );

    expect(config.tags).toEqual([
      { name: "_1st", value: "x" },
      { name: "a_b", value: "true" },
      { name: "my_tag", value: "1" },
    ]);
  });

  it("reads tags and headers from the environment", () => {
    const { config } = resolveConfig(
      {},
      { PYROSCOPE_LABELS: "region=eu,zone=a", PYROSCOPE_HTTP_HEADERS: "X-Team=core" },
    );

    expect(config.tags.map(({ name, value }) => `${name}=${value}`)).toEqual(["region=eu", "zone=a"]);
    expect(config.httpHeaders.get("x-team")?.reveal()).toBe("core");
  });

  it("warns of credentials that travel without encryption beyond this machine", () => {
    const address = (serverAddress: string) => resolveConfig({ serverAddress, authToken: "t" }, {}).problems;

    expect(address("http://pyroscope.example")).toEqual([expect.stringContaining("without encryption")]);
    expect(address("https://pyroscope.example")).toEqual([]);
    expect(address("http://127.0.0.1:4040")).toEqual([]);
    expect(address("http://[::1]:4040")).toEqual([]);
  });

  it("shows no secret: not in problems, not when the config is printed", () => {
    const { config, problems } = resolveConfig(
      {
        serverAddress: "ftp://user:hunter1@host",
        authToken: "hunter2",
        basicAuthPassword: "hunter3",
        httpHeaders: { authorization: "hunter4" },
      },
      { PYROSCOPE_SERVER_ADDRESS: "user:hunter5@host" },
    );
    const bad = resolveConfig({ authToken: "hunter6\nx", httpHeaders: { a: "hunter7\n" } }, {});

    const shown = [
      inspect(config, { depth: 9, showHidden: true }),
      JSON.stringify(config),
      ...problems,
      ...bad.problems,
    ];
    expect(problems).toHaveLength(2);
    expect(bad.problems).toHaveLength(2);
    expect(shown.join("\n")).not.toContain("hunter");
  });
});

describe("checkProblems", () => {
  it("throws what is wrong in strict mode", () => {
    const { problems } = resolveConfig(untyped({ uploadRate: 0, sampleRate: 0 }), {});

    expect(() => checkProblems(problems)).toThrow(
      expect.objectContaining({
        name: "SdkError",
        code: "CONFIG_INVALID",
        message: expect.stringContaining("; "),
      }),
    );
    expect(() => checkProblems([])).not.toThrow();
  });
});

describe("isSameConfig", () => {
  it("sees a changed secret", () => {
    const resolve = (authToken: string) => resolveConfig({ authToken }, {}).config;

    expect(isSameConfig(resolve("a"), resolve("a"))).toBe(true);
    expect(isSameConfig(resolve("a"), resolve("b"))).toBe(false);
  });
});

describe("settings", () => {
  it("gives each option and each environment variable one meaning", () => {
    const rows = Object.values(settings);
    const options = rows.map(({ option }) => option);
    const variables = rows.flatMap(({ env }) => env.map(({ name }) => name));

    expect(new Set(options).size).toBe(options.length);
    // A list of many things, of which the service's name is one.
    const own = variables.filter((name) => name !== "OTEL_RESOURCE_ATTRIBUTES");
    expect(new Set(own).size).toBe(own.length);
  });
});
