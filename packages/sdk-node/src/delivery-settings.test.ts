import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createTargets, nameOfTarget } from "./exporters/exporter-target.ts";
import type { PyroscopeOptions } from "./options.ts";
import { isSameConfig, resolveConfig } from "./resolve-config.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

const fromEnv = (env: Readonly<Record<string, string>>) => resolveConfig({}, env);
const targetsOf = (options: PyroscopeOptions, env = {}) => createTargets(resolveConfig(options, env).config);

describe("exporters", () => {
  it("are the Pyroscope server alone by default", () => {
    expect(targetsOf({}).map(nameOfTarget)).toEqual(["pyroscope"]);
    expect(targetsOf({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" })).toHaveLength(1);
  });

  it("are taken from names and objects, each once", () => {
    const own = { export: () => {} };
    const { config, problems } = resolveConfig({ exporters: ["file", own, "otlp", "file", own] }, {});

    expect(config.exporters).toEqual(["file", own, "otlp"]);
    expect(createTargets(config).map(nameOfTarget)).toEqual(["otlp", "file"]);
    expect(problems).toEqual([]);
    expect(resolveConfig({ exporters: own }, {}).config.exporters).toEqual([own]);
    expect(fromEnv({ PYROSCOPE_EXPORTERS: " File, pyroscope" }).config.exporters).toEqual([
      "file",
      "pyroscope",
    ]);
  });

  it("leave the server out with the protocol none", () => {
    const exporters = ["pyroscope", "file"] as const;

    expect(targetsOf({ exporters, protocol: "none" }).map(nameOfTarget)).toEqual(["file"]);
  });

  it.for([[[]], [["kafka"]], [[{}]], [7], [[{ export: 1 }]]])(
    "are never %j, which is said",
    ([exporters]) => {
      const { config, problems } = resolveConfig({ exporters } as PyroscopeOptions, {});

      expect(config.exporters).toEqual(["pyroscope"]);
      expect(problems).toEqual([expect.stringContaining("ignored: expected some of pyroscope, otlp, file")]);
    },
  );

  it("make another run when an object is another one", () => {
    const create = (exporter: object) =>
      resolveConfig({ exporters: exporter } as PyroscopeOptions, {}).config;
    const [own, other] = [{ export: () => {} }, { export: () => {} }];

    expect(isSameConfig(create(own), create(own))).toBe(true);
    expect(isSameConfig(create(own), create(other))).toBe(false);
  });
});

describe("settings of OpenTelemetry", () => {
  it("are honoured, those of profiles first", () => {
    const all = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector/base/",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b,x=1",
      OTEL_EXPORTER_OTLP_TIMEOUT: "2500",
      OTEL_EXPORTER_OTLP_COMPRESSION: "none",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=shop,zone=b%2C1",
    };
    const own = {
      OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT: "https://profiles/exactly?x=1",
      OTEL_EXPORTER_OTLP_PROFILES_TIMEOUT: "5s",
    };

    expect(targetsOf({ exporters: "otlp" }, all)).toMatchObject([
      {
        endpoint: "https://collector/base/v1development/profiles",
        headers: { "api-key": "a b", x: "1" },
        isCompressed: false,
        connection: { timeoutMs: 2500 },
        resourceAttributes: [
          ["service.name", "shop"],
          ["zone", "b,1"],
        ],
      },
    ]);
    expect(targetsOf({ exporters: "otlp" }, { ...all, ...own })).toMatchObject([
      { endpoint: "https://profiles/exactly?x=1", connection: { timeoutMs: 5000 } },
    ]);
  });

  it("have user and password of the endpoint in a header, and warn of them without encryption", () => {
    const { config, problems } = resolveConfig(
      { exporters: "otlp", otlpEndpoint: "http://me:p%40ss@collector/v1" },
      {},
    );

    expect(createTargets(config)).toMatchObject([
      {
        endpoint: "http://collector/v1",
        headers: { authorization: `Basic ${Buffer.from("me:p@ss").toString("base64")}` },
      },
    ]);
    expect(problems).toEqual([
      "otlpEndpoint=http://collector/v1 sends credentials without encryption: use https://",
    ]);
  });
});

describe("settings of the connection", () => {
  it("take PEM as text, with its line breaks written out too, and from files", () => {
    const directory = mkdtempSync(join(tmpdir(), "pem-"));
    const path = join(directory, "ca.pem");
    writeFileSync(path, PEM);

    const ca = (PYROSCOPE_TLS_CA: string) => fromEnv({ PYROSCOPE_TLS_CA }).config.tlsCa;
    expect([ca(PEM), ca(PEM.replaceAll("\n", "\\n")), ca(path)]).toEqual([PEM, PEM, PEM]);
    rmSync(directory, { recursive: true });
    expect(fromEnv({ PYROSCOPE_TLS_CA: path }).problems).toEqual([
      `PYROSCOPE_TLS_CA="${path}" ignored: expected PEM, or the path of a PEM file`,
    ]);
  });

  it("find the proxy of each server", () => {
    const env = { https_proxy: "proxy:3128", HTTP_PROXY: "http://other:1", NO_PROXY: "collector" };
    const targets = targetsOf(
      {
        exporters: ["pyroscope", "otlp"],
        serverAddress: "https://receiver",
        otlpEndpoint: "http://collector/x",
      },
      env,
    );

    expect(targets).toMatchObject([
      { connection: { proxy: "http://proxy:3128" } },
      { connection: { proxy: undefined } },
    ]);
    expect(fromEnv({ HTTPS_PROXY: "socks5://x" }).problems).toHaveLength(1);
  });

  it("show no secret", () => {
    const { config, problems } = resolveConfig(
      {
        tlsKey: `-----BEGIN PRIVATE KEY-----hunter1`,
        httpsProxy: "http://me:hunter2@proxy",
        otlpHeaders: { authorization: "hunter3" },
        otlpEndpoint: "http://me:hunter4@collector",
      },
      {},
    );
    const bad = resolveConfig(
      { httpProxy: "ftp://me:hunter5@proxy", tlsKey: "hunter6", otlpHeaders: { a: "hunter7\n" } },
      { http_proxy: "ftp://hunter8@x" },
    );

    const shown = [config, bad.config].flatMap((each) => [
      inspect(each, { depth: 9, showHidden: true }),
      JSON.stringify(each),
    ]);
    expect(bad.problems).toHaveLength(4);
    expect([...shown, ...problems, ...bad.problems].join("\n")).not.toContain("hunter");
  });
});
