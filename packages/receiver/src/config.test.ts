import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type ConfigSources, describeConfig, resolveConfig, settingRows } from "./config.ts";

/** Two values for every setting, neither its default, as they are written and as they are shown. */
const samples: Readonly<Record<string, readonly [flagValue: string, environmentValue: string]>> = {
  "api-bind-addr": ["127.0.0.1:1", "[::1]:2"],
  "storage-path": ["/a", "/b"],
  "auth-token": ["push=a,read=b", "read=c"],
  insecure: ["true", "true"],
  "tls-certificate-file": ["/cert-a", "/cert-b"],
  "tls-key-file": ["/key-a", "/key-b"],
  "auth.multitenancy-enabled": ["true", "true"],
  "runtime-config.file": ["/a", "/b"],
  "runtime-config.reload-period": ["1s", "2s"],
  retention: ["1d", "2d"],
  "retention-levels": ["raw=1d,1h=60d", "5m=2d"],
  "exemplars-retention": ["7d", "12h"],
  "storage-max-mb": ["1", "2.5"],
  "tenant-storage-max-mb": ["1", "2.5"],
  "roll-up-levels": ["5m", "none"],
  "max-nodes-serialization": ["0", "1"],
  "base-url": ["/a", "/b/c"],
  "trace-url": ["http://a/{traceId}", "https://b/{traceId}"],
  "hide-applications": ["a,b", "c"],
  "forward-to": ["http://a:1", "https://user:password@b"],
  "forward-auth-token": ["token-a", "token-b"],
  "forward-queue-mb": ["1", "2"],
  "limits-preset": ["pyroscope", "pyroscope"],
  "log-level": ["debug", "warn"],
  "max-inflight-mb": ["1", "2.5"],
  "max-push-wait": ["2s", "3s"],
  "max-connections": ["1", "2"],
  "http-read-timeout": ["1s", "2s"],
  "http-idle-timeout": ["1s", "2s"],
  "shutdown-timeout": ["1s", "2s"],
  "storage.backend": ["s3", "s3"],
  "storage.filesystem.dir": ["/a", "/b"],
  target: ["read", "write"],
  "catalog.postgres-url": ["secret-a", "secret-b"],
  "storage.prefix": ["a", "b/c"],
  "storage.local-limit-mb": ["1", "2.5"],
  "storage.s3.bucket-name": ["a", "b"],
  "storage.s3.region": ["a", "b"],
  "storage.s3.endpoint": ["http://a:1", "https://b"],
  "storage.s3.force-path-style": ["true", "true"],
  "storage.s3.access-key-id": ["a", "b"],
  "storage.s3.secret-access-key": ["secret-a", "secret-b"],
  "storage.s3.conditional-writes": ["false", "false"],
  "query-engine": ["clickhouse", "clickhouse"],
  "clickhouse.url": ["http://a:secret@click:8123", "https://b:secret@click:8443/db"],
  "clickhouse.cluster": ["a", "b"],
  "clickhouse.named-collection": ["a", "b"],
  "ingestion-body-limit-mb": ["1", "2"],
  "ingestion-rate-mb": ["0", "2.5"],
  "ingestion-burst-size-mb": ["1", "3"],
  "max-profile-size-bytes": ["1", "2"],
  "max-profile-stacktrace-samples": ["1", "2"],
  "max-profile-stacktrace-sample-labels": ["1", "2"],
  "max-profile-stacktrace-depth": ["1", "2"],
  "max-profile-symbol-value-length": ["1", "2"],
  "max-label-name-length": ["1", "2"],
  "max-label-value-length": ["1", "2"],
  "max-label-names-per-series": ["1", "2"],
  "disable-label-sanitization": ["false", "false"],
  "max-sessions-per-series": ["1", "2"],
  "ingestion-relabeling-rules": ['[{"action":"keep"}]', '[{"action":"drop"}]'],
  "max-global-series-per-tenant": ["1", "2"],
  "reject-older-than": ["1d", "0"],
  "reject-newer-than": ["1d", "0"],
  "max-query-length": ["1d", "2d"],
  "max-query-lookback": ["1d", "2d"],
  "max-flamegraph-nodes-default": ["1", "2"],
  "max-flamegraph-nodes-max": ["8193", "8194"],
  "max-query-memory-mb": ["1", "2.5"],
  "max-concurrent-queries": ["1", "2"],
  "max-waiting-queries": ["1", "2"],
  "query-timeout": ["1s", "2s"],
  "query-cache-mb": ["0", "2.5"],
  "max-recording-rules": ["1", "2"],
  "recording-rules": [recordingRules("x"), recordingRules("y")],
};

function recordingRules(name: string): string {
  const matchers = ['{__profile_type__="a:b:c:d:e"}'];
  return JSON.stringify([{ metric_name: `profiles_recorded_${name}`, matchers }]);
}

const clickhouse = {
  PYROSCOPE_STORAGE_BACKEND: "s3",
  PYROSCOPE_STORAGE_S3_BUCKET_NAME: "profiles",
  PYROSCOPE_CATALOG_POSTGRES_URL: "postgres://a",
  PYROSCOPE_QUERY_ENGINE: "clickhouse",
  PYROSCOPE_CLICKHOUSE_URL: "http://click:8123",
};

/** What a setting needs beside itself to be valid. */
const companions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "tls-certificate-file": { PYROSCOPE_TLS_KEY_FILE: "/key" },
  "tls-key-file": { PYROSCOPE_TLS_CERTIFICATE_FILE: "/cert" },
  "storage.backend": { PYROSCOPE_STORAGE_S3_BUCKET_NAME: "profiles" },
  target: { PYROSCOPE_CATALOG_POSTGRES_URL: "postgres://a", PYROSCOPE_STORAGE_FILESYSTEM_DIR: "/a" },
  "catalog.postgres-url": { PYROSCOPE_STORAGE_FILESYSTEM_DIR: "/a" },
  "storage.s3.bucket-name": { PYROSCOPE_STORAGE_BACKEND: "s3" },
  "storage.s3.access-key-id": { PYROSCOPE_STORAGE_S3_SECRET_ACCESS_KEY: "secret" },
  "storage.s3.secret-access-key": { PYROSCOPE_STORAGE_S3_ACCESS_KEY_ID: "key" },
  "query-engine": clickhouse,
  "clickhouse.url": clickhouse,
  "clickhouse.cluster": clickhouse,
  "clickhouse.named-collection": clickhouse,
  "forward-auth-token": { PYROSCOPE_FORWARD_TO: "http://a" },
};

const masked: Readonly<Record<string, string>> = {
  "push=a,read=b": "push=***,read=***",
  "read=c": "read=***",
  "secret-a": "***",
  "secret-b": "***",
  "https://user:password@b": "https://***@b",
  "http://a:secret@click:8123": "***",
  "https://b:secret@click:8443/db": "***",
  "token-a": "***",
  "token-b": "***",
};

function resolveShown(flag: string, sources: ConfigSources): string | undefined {
  return describeConfig(resolveConfig(sources))[flag];
}

describe("settingRows", () => {
  it("has a sample in this test for every setting, and no two of one name", () => {
    const flags = settingRows.map(({ flag }) => flag);

    expect(flags).toEqual(Object.keys(samples));
    expect(new Set(settingRows.map(({ environmentName }) => environmentName)).size).toBe(flags.length);
  });

  it("explains every setting in one sentence or more", () => {
    expect(settingRows.filter(({ help }) => !/^[A-Z].*\.$/s.test(help))).toEqual([]);
  });
});

describe("resolveConfig", () => {
  it("gives limits that are not set the numbers of the preset", () => {
    const flags = { "limits-preset": "pyroscope", "max-global-series-per-tenant": "7" };
    const { ingestLimits, queryLimits } = resolveConfig({ flags });
    const defaults = resolveConfig();

    expect(ingestLimits).toEqual({
      ...defaults.ingestLimits,
      rateBytesPerSecond: 4 * 1024 * 1024,
      burstBytes: 2 * 1024 * 1024,
      maxSeries: 7,
    });
    expect(queryLimits).toEqual({
      ...defaults.queryLimits,
      maxQueryLengthMs: 86_400_000,
      maxQueryLookbackMs: 7 * 86_400_000,
    });
  });

  it.for(settingRows)("lets --$flag beat $environmentName beat the default", ({ flag, environmentName }) => {
    const [flagValue, environmentValue] = samples[flag]!;
    const environment = { ...companions[flag], [environmentName]: environmentValue };

    expect(resolveShown(flag, {})).toBeUndefined();
    expect(resolveShown(flag, { environment })).toBe(masked[environmentValue] ?? environmentValue);
    expect(resolveShown(flag, { environment, flags: { [flag]: flagValue } })).toBe(
      masked[flagValue] ?? flagValue,
    );
  });

  it("refuses an engine that lacks something, without its password", () => {
    const { PYROSCOPE_CLICKHOUSE_URL: _, ...noUrl } = clickhouse;
    const refused = (environment: Readonly<Record<string, string>>, text: string): void =>
      expect(() => resolveConfig({ environment })).toThrow(text);

    refused(noUrl, "--query-engine=clickhouse: expected the server in --clickhouse.url");
    refused({ PYROSCOPE_CLICKHOUSE_CLUSTER: "a" }, "expected --query-engine=clickhouse beside it");
    refused(
      { ...clickhouse, PYROSCOPE_CLICKHOUSE_URL: "tcp://a:secret@b" },
      "--clickhouse.url=***: expected a URL",
    );
    const alone = { PYROSCOPE_QUERY_ENGINE: "clickhouse", PYROSCOPE_CLICKHOUSE_URL: "http://click:8123" };
    refused(alone, "expected --storage.backend=s3 and --catalog.postgres-url beside it");
  });

  it("takes an empty variable for one that is not set", () => {
    expect(resolveConfig({ environment: { PYROSCOPE_RETENTION: "" } })).toEqual(resolveConfig());
  });

  it("gives a frozen result", () => {
    const config = resolveConfig();

    expect([config, config.bucket, config.ingestLimits, config.queryLimits].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it.for([
    ["api-bind-addr", "4040", "expected host:port, or :port for every interface"],
    ["api-bind-addr", "127.0.0.1:65536", "expected host:port, or :port for every interface"],
    ["storage-path", "", "expected a text that is not empty"],
    ["insecure", "perhaps", "expected true or false"],
    ["retention", "soon", "expected a duration such as 30d, 1h30m or 500ms"],
    [
      "retention-levels",
      "2h=1d",
      "expected durations of levels such as raw=30d,5m=90d,1h=1y,1h-service=2y,1d-service=5y",
    ],
    [
      "retention-levels",
      "1=soon",
      "expected durations of levels such as raw=30d,5m=90d,1h=1y,1h-service=2y,1d-service=5y",
    ],
    ["roll-up-levels", "1h", "expected none, or the first of 5m,1h,1h-service,1d-service"],
    ["retention", "-1d", "expected a duration such as 30d, 1h30m or 500ms"],
    ["shutdown-timeout", "0", "expected a duration above 0 such as 10s or 500ms"],
    ["base-url", "pyroscope", "expected a path such as /pyroscope"],
    ["base-url", "/../etc", "expected a path such as /pyroscope"],
    ["log-level", "loud", "expected one of error, warn, info, debug, trace"],
    ["max-inflight-mb", "64MB", "expected a number of mebibytes, 0 or above"],
    ["max-connections", "0", "expected a whole number above 0"],
    ["max-profile-size-bytes", "1.5", "expected a whole number, 0 or above"],
  ] as const)("refuses --%s=%s in one line", ([flag, value, expected]) => {
    expect(() => resolveConfig({ flags: { [flag]: value } })).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: `--${flag}=${value}: ${expected}` }),
    );
  });

  it("names the variable when the bad value came from the environment", () => {
    expect(() => resolveConfig({ environment: { PYROSCOPE_RETENTION: "soon" } })).toThrow(
      "PYROSCOPE_RETENTION=soon: expected a duration",
    );
  });

  it.for(["bare-secret", "owner=bare-secret", "push=", "push=bare secret", ","])(
    "refuses the tokens %s without repeating them",
    (tokens) => {
      expect(() => resolveConfig({ flags: { "auth-token": tokens } })).toThrow(
        "--auth-token=***: expected push=TOKEN,read=TOKEN,admin=TOKEN",
      );
    },
  );

  it("reads tokens from files: the whole list, or one of them", () => {
    const files: Readonly<Record<string, string>> = { list: "# ours\npush=p\nread=r\n", one: "r2\n" };
    const readFile = (path: string): string => files[path] ?? "";
    const resolve = (tokens: string) =>
      resolveConfig({ flags: { "auth-token": tokens }, readFile }).authTokens.map(({ role, secret }) => [
        role,
        secret.reveal(),
      ]);

    expect(resolve("@list")).toEqual([
      ["push", "p"],
      ["read", "r"],
    ]);
    expect(resolve("push=p=2,read=@one")).toEqual([
      ["push", "p=2"],
      ["read", "r2"],
    ]);
  });

  it("says why a token file cannot be read", () => {
    const readFile = (path: string): string => {
      throw new Error(`no such file: ${path}`);
    };

    expect(() => resolveConfig({ flags: { "auth-token": "@gone" }, readFile })).toThrow(
      "--auth-token=***: no such file: gone",
    );
  });

  it("shows tokens nowhere", () => {
    const config = resolveConfig({ flags: { "auth-token": "push=marker1,read=marker2" } });

    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: 9 }),
      JSON.stringify(describeConfig(config)),
    ];

    expect(shown.join()).not.toContain("marker");
    expect(`${config.authTokens[0]?.secret}`).toBe("***");
  });

  it.for([":4040", "0.0.0.0:4040", "[::]:4040", "10.0.0.1:4040", "example.org:4040"])(
    "refuses to listen on %s without tokens, unless told that this is meant",
    (address) => {
      const flags = { "api-bind-addr": address };

      expect(() => resolveConfig({ flags })).toThrow("set --auth-token push=TOKEN,read=TOKEN, or --insecure");
      expect(resolveConfig({ flags: { ...flags, insecure: "" } }).isInsecure).toBe(true);
      expect(resolveConfig({ flags: { ...flags, "auth-token": "push=a" } }).authTokens).toHaveLength(1);
    },
  );

  it.for(["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"])(
    "listens on %s without tokens",
    (address) => {
      expect(resolveConfig({ flags: { "api-bind-addr": address } }).authTokens).toEqual([]);
    },
  );

  it("wants the certificate and the key together", () => {
    expect(() => resolveConfig({ flags: { "tls-key-file": "/key" } })).toThrow("give both or none");
    expect(() => resolveConfig({ flags: { "tls-certificate-file": "/cert" } })).toThrow("give both or none");
  });

  it("wants the default of flame graph nodes within their maximum", () => {
    expect(() => resolveConfig({ flags: { "max-flamegraph-nodes-max": "8191" } })).toThrow(
      "--max-flamegraph-nodes-default=8192: expected at most --max-flamegraph-nodes-max, which is 8191",
    );
  });
});
