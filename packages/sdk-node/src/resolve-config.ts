import { isDeepStrictEqual } from "node:util";
import type { SdkConfig } from "./config.ts";
import { settings } from "./config.ts";
import { SdkError } from "./errors.ts";
import type { NamedOptions } from "./option-names.ts";
import { renameOptions } from "./option-names.ts";
import type { PyroscopeOptions } from "./options.ts";
import { redactUrl, Secret } from "./secret.ts";
import type { EnvSource, Setting } from "./setting.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What came out of options and environment, and what was wrong with them, one line each. */
export interface ResolvedConfig {
  readonly config: SdkConfig;
  readonly problems: readonly string[];
}

/**
 * Merges options, environment and defaults, in that order of precedence.
 *
 * A value that its setting does not accept is one line in `problems` and counts as absent, whatever its
 * source. An empty environment variable counts as absent without a word. Never throws: see
 * {@link checkProblems} for strict mode.
 */
export function resolveConfig(given: PyroscopeOptions, environment: Environment): ResolvedConfig {
  const problems: string[] = [];
  const options = renameOptions({ ...given }, optionNames);
  const pick = <K extends keyof SdkConfig>(key: K): SdkConfig[K] =>
    pickValue<SdkConfig[K]>(settings[key], options, environment, problems);
  for (const key of Object.keys(options)) {
    if (!optionNames.has(key)) problems.push(`unknown option ${key} ignored`);
  }
  const picked = pickAll(pick);
  const config = Object.freeze({ ...picked, ...splitCredentials(picked), ...splitOtlpCredentials(picked) });
  problems.push(...describeClearSecrets(config));
  return { config, problems };
}

function pickAll(pick: <K extends keyof SdkConfig>(key: K) => SdkConfig[K]): SdkConfig {
  return {
    applicationName: pick("applicationName"),
    serverAddress: pick("serverAddress"),
    enabled: pick("enabled"),
    tags: pick("tags"),
    detectLabels: pick("detectLabels"),
    uploadRateMs: pick("uploadRateMs"),
    profileTypes: pick("profileTypes"),
    sampleRateHz: pick("sampleRateHz"),
    overheadBudgetPercent: pick("overheadBudgetPercent"),
    allocationWindowMs: pick("allocationWindowMs"),
    allocationPeriodMs: pick("allocationPeriodMs"),
    eventLoopBlockThresholdMs: pick("eventLoopBlockThresholdMs"),
    lineNumbers: pick("lineNumbers"),
    sourceMaps: pick("sourceMaps"),
    heapSamplingIntervalBytes: pick("heapSamplingIntervalBytes"),
    heapStackDepth: pick("heapStackDepth"),
    heapLimitProfile: pick("heapLimitProfile"),
    remoteCapture: pick("remoteCapture"),
    authToken: pick("authToken"),
    basicAuthUser: pick("basicAuthUser"),
    basicAuthPassword: pick("basicAuthPassword"),
    tenantId: pick("tenantId"),
    httpHeaders: pick("httpHeaders"),
    protocol: pick("protocol"),
    typeIds: pick("typeIds"),
    uploadTimeoutMs: pick("uploadTimeoutMs"),
    uploadQueueBytes: pick("uploadQueueBytes"),
    exporters: pick("exporters"),
    exportDirectory: pick("exportDirectory"),
    exportDirectoryBytes: pick("exportDirectoryBytes"),
    exportDirectoryFiles: pick("exportDirectoryFiles"),
    otlpEndpoint: pick("otlpEndpoint"),
    otlpHeaders: pick("otlpHeaders"),
    otlpTimeoutMs: pick("otlpTimeoutMs"),
    otlpCompression: pick("otlpCompression"),
    otlpResourceAttributes: pick("otlpResourceAttributes"),
    tlsCa: pick("tlsCa"),
    tlsCert: pick("tlsCert"),
    tlsKey: pick("tlsKey"),
    tlsRejectUnauthorized: pick("tlsRejectUnauthorized"),
    httpProxy: pick("httpProxy"),
    httpsProxy: pick("httpsProxy"),
    noProxy: pick("noProxy"),
    flushOnExit: pick("flushOnExit"),
    exitTimeoutMs: pick("exitTimeoutMs"),
    maxLabelValues: pick("maxLabelValues"),
    maxLabelSets: pick("maxLabelSets"),
    maxWorkerThreads: pick("maxWorkerThreads"),
    logger: pick("logger"),
    logLevel: pick("logLevel"),
    strict: pick("strict"),
  };
}

const optionNames: ReadonlySet<string> = new Set(Object.values(settings).map(({ option }) => option));

/**
 * The strict side of {@link resolveConfig}.
 *
 * @throws {@link SdkError} `CONFIG_INVALID` with every problem when there is one.
 */
export function checkProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new SdkError(problems.join("; "), { code: "CONFIG_INVALID" });
}

/** True when two runs would do the same. */
export function isSameConfig(a: SdkConfig, b: SdkConfig): boolean {
  const isSameList = a.exporters.every((exporter, i) => exporter === b.exporters[i]);
  const isSameCode = a.logger === b.logger && a.exporters.length === b.exporters.length && isSameList;
  return isSameCode && isDeepStrictEqual(comparable(a), comparable(b));
}

/** Private fields do not take part in a comparison, so secrets are revealed for it. */
function comparable(config: SdkConfig): unknown {
  return {
    ...config,
    logger: undefined,
    exporters: undefined,
    authToken: config.authToken?.reveal(),
    basicAuthPassword: config.basicAuthPassword?.reveal(),
    tlsKey: config.tlsKey?.reveal(),
    httpProxy: config.httpProxy?.reveal(),
    httpsProxy: config.httpsProxy?.reveal(),
    httpHeaders: Array.from(config.httpHeaders, ([name, value]) => [name, value.reveal()]),
    otlpHeaders: Array.from(config.otlpHeaders, ([name, value]) => [name, value.reveal()]),
  };
}

function pickValue<T>(
  setting: Setting<T>,
  options: NamedOptions,
  environment: Environment,
  problems: string[],
): T {
  const option = options[setting.option];
  if (option === null && setting.nullValue !== undefined) return setting.nullValue;
  if (option !== undefined && option !== null) {
    const value = setting.kind.fromOption(option);
    if (value !== undefined) return value;
    problems.push(formatProblem(setting, setting.option, option));
  }
  for (const source of setting.env) {
    const { name } = source;
    const text = readVariable(source, environment);
    if (text === undefined) continue;
    const value = setting.kind.fromText(text);
    if (value !== undefined) return value;
    problems.push(formatProblem(setting, name, text));
  }
  return setting.fallback;
}

/** The setting's text in a variable; undefined when there is none or it is empty. */
function readVariable({ name, read }: EnvSource, environment: Environment): string | undefined {
  const raw = environment[name] ?? "";
  if (raw.trim() === "") return undefined;
  const text = read === undefined ? raw : (read(raw) ?? "");
  return text.trim() === "" ? undefined : text;
}

function formatProblem<T>(setting: Setting<T>, source: string, value: unknown): string {
  const shown = setting.isSecret ? "[redacted]" : redactUrl(formatValue(value));
  return `${source}=${shown} ignored: expected ${setting.kind.expects}`;
}

// A line of a log: long or deep values help nobody.
const MAX_SHOWN_LENGTH = 100;

function formatValue(value: unknown): string {
  let text: string;
  try {
    // bigint, functions and cyclic objects are not JSON.
    text = typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text;
}

type ServerFields = Pick<SdkConfig, "serverAddress" | "basicAuthUser" | "basicAuthPassword">;

/** Takes a user and password out of the address: it is printed in log lines. */
function splitCredentials(config: SdkConfig): ServerFields {
  const { url, user, password } = takeCredentials(config.serverAddress);
  return {
    serverAddress: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    basicAuthUser: config.basicAuthUser ?? user,
    basicAuthPassword:
      config.basicAuthPassword ?? (password === undefined ? undefined : new Secret(password)),
  };
}

/** The same for OTLP, which has them in a header. */
function splitOtlpCredentials({
  otlpEndpoint,
  otlpHeaders,
}: SdkConfig): Pick<SdkConfig, "otlpEndpoint" | "otlpHeaders"> {
  const { url, user = "", password = "" } = takeCredentials(otlpEndpoint);
  if (user === "" && password === "") return { otlpEndpoint, otlpHeaders };
  const basic = new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`);
  return { otlpEndpoint: url.href, otlpHeaders: new Map([["authorization", basic], ...otlpHeaders]) };
}

function takeCredentials(address: string): {
  readonly url: URL;
  readonly user: string | undefined;
  readonly password: string | undefined;
} {
  const url = new URL(address);
  const user = url.username === "" ? undefined : decodePercent(url.username);
  const password = url.password === "" ? undefined : decodePercent(url.password);
  url.username = "";
  url.password = "";
  return { url, user, password };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is not an escape: take it as it stands.
    return text;
  }
}

function describeClearSecrets(config: SdkConfig): readonly string[] {
  const { serverAddress, otlpEndpoint, otlpHeaders } = config;
  const hasSecret =
    config.authToken !== undefined ||
    config.basicAuthPassword !== undefined ||
    config.httpHeaders.has("authorization");
  const hasOtlpSecret = config.exporters.includes("otlp") && otlpHeaders.has("authorization");
  const problems: string[] = [];
  const add = (setting: string): unknown =>
    problems.push(`${setting} sends credentials without encryption: use https://`);
  if (hasSecret && isReadableByOthers(serverAddress)) add(`serverAddress=${serverAddress}`);
  if (hasOtlpSecret && isReadableByOthers(otlpEndpoint)) add(`otlpEndpoint=${otlpEndpoint}`);
  return problems;
}

function isReadableByOthers(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
