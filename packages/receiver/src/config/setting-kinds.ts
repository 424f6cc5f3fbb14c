import { parseRelabelRules } from "@pyroscope-ts/protocol";
import { parse as parseYaml } from "yaml";
import { AUTOMATIC_RATE } from "../ingest/limits.ts";
import { parseProvisionedRules } from "../rules/provisioned-rules.ts";
import { LEVELS, type Level, ROLL_UP_LEVELS, type RollUpLevel } from "../store/level.ts";
import { type AuthToken, formatAuthTokens, parseAuthTokens } from "./auth-tokens.ts";
import { type BindAddress, formatBindAddress, parseBindAddress } from "./bind-address.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { Secret } from "./secret.ts";
import type { SettingKind } from "./setting.ts";
import { parseTarget, TARGET_WORDS, type Target } from "./target.ts";

const MEBIBYTE = 1024 * 1024;

/** Any text that is not empty. */
export const text: SettingKind<string> = {
  expects: "a text that is not empty",
  placeholder: "text",
  isSecret: false,
  parse: (raw) => (raw === "" ? undefined : raw),
  format: (value) => value,
};

/** Path of a file; unset is undefined. */
export const optionalFile: SettingKind<string | undefined> = {
  ...text,
  expects: "the path of a file",
  placeholder: "file",
  format: (value) => value ?? "",
};

/** Any text; unset is undefined. */
export const optionalText: SettingKind<string | undefined> = {
  ...optionalFile,
  expects: text.expects,
  placeholder: "text",
};

/** Texts with commas between them. */
export const names: SettingKind<readonly string[]> = {
  expects: "names with commas between them",
  placeholder: "names",
  isSecret: false,
  parse: (raw) =>
    raw
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  format: (value) => value.join(","),
};

/** A URL of http or https; unset is undefined. */
export const optionalUrl: SettingKind<string | undefined> = {
  ...optionalFile,
  expects: "a URL such as https://host:port",
  placeholder: "url",
  parse: (raw) => (/^https?:\/\/[^\s/?#@]+\/?$/.test(raw) ? raw : undefined),
};

/** A text that is not shown, or `@FILE` with it; unset is undefined. */
export const optionalSecret: SettingKind<Secret | undefined> = {
  expects: "a text that is not empty, or @FILE",
  placeholder: "secret",
  isSecret: true,
  parse: (raw, readFile) => {
    const value = raw.startsWith("@") ? readFile(raw.slice(1)).trim() : raw;
    return value === "" ? undefined : new Secret(value);
  },
  format: (value) => (value === undefined ? "" : String(value)),
};

/** What a process does; see {@link parseTarget}. */
export const target: SettingKind<Target> = {
  expects: `one of ${TARGET_WORDS.join(", ")}, or several with commas between them`,
  placeholder: "all|write|read|compact",
  isSecret: false,
  parse: parseTarget,
  format: (value) => value,
};

/** A path within a bucket: empty, or `a/b/`. */
export const keyPrefix: SettingKind<string> = {
  expects: "a path such as profiles/prod, of letters, digits and . _ - between slashes",
  placeholder: "path",
  isSecret: false,
  parse: (raw) => {
    const path = raw.replace(/\/+$/, "");
    if (path === "") return "";
    return /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(path) ? `${path}/` : undefined;
  },
  format: (value) => value.slice(0, -1),
};

/** Relabeling rules, kept as JSON; "" for none. */
export const relabelRules: SettingKind<string> = {
  expects:
    "a list of relabeling rules as Prometheus has them, in YAML: action, source_labels, regex, target_label",
  placeholder: "rules",
  isSecret: false,
  parse: (raw) => {
    if (raw === "") return "";
    try {
      const rules: unknown = parseYaml(raw);
      // Checked now, and again where they are compiled: the text is what travels.
      parseRelabelRules(rules);
      return Array.isArray(rules) && rules.length === 0 ? "" : JSON.stringify(rules);
    } catch {
      return undefined;
    }
  },
  format: (value) => value,
};

/** Recording rules, kept as JSON; "" for none. */
export const recordingRules: SettingKind<string> = {
  expects:
    "a list of recording rules in YAML: metric_name, matchers, group_by, external_labels, stacktrace_filter",
  placeholder: "rules",
  isSecret: false,
  parse: (raw) => {
    if (raw === "") return "";
    const rules: unknown = parseYaml(raw) ?? [];
    // Says what is wrong with which rule. Checked now, and read again where they are used: the text is what travels.
    return parseProvisionedRules(rules).length === 0 ? "" : JSON.stringify(rules);
  },
  format: (value) => value,
};

/** On or off. */
export const toggle: SettingKind<boolean> = {
  expects: "true or false",
  placeholder: undefined,
  isSecret: false,
  parse: (raw) => ({ true: true, "1": true, "": true, false: false, "0": false })[raw.toLowerCase()],
  format: String,
};

/** A whole number from 0. */
export const count: SettingKind<number> = {
  expects: "a whole number, 0 or above",
  placeholder: "count",
  isSecret: false,
  parse: (raw) => (/^\d{1,15}$/.test(raw) ? Number(raw) : undefined),
  format: String,
};

/** A whole number from 1. */
export const positiveCount: SettingKind<number> = {
  ...count,
  expects: "a whole number above 0",
  parse: (raw, files) => count.parse(raw, files) || undefined,
};

/** Bytes, written in mebibytes as Pyroscope's `_mb` limits are. */
export const mebibytes: SettingKind<number> = {
  expects: "a number of mebibytes, 0 or above",
  placeholder: "MiB",
  isSecret: false,
  parse: (raw) => (/^\d{1,9}(?:\.\d{1,6})?$/.test(raw) ? Math.round(Number(raw) * MEBIBYTE) : undefined),
  format: (bytes) => String(bytes / MEBIBYTE),
};

/** As {@link mebibytes}, or `auto`, which is {@link AUTOMATIC_RATE}. */
export const mebibytesOrAuto: SettingKind<number> = {
  ...mebibytes,
  expects: "a number of mebibytes, 0 or above, or auto",
  placeholder: "MiB|auto",
  parse: (raw, files) => (raw === "auto" ? AUTOMATIC_RATE : mebibytes.parse(raw, files)),
  format: (bytes) => (bytes === AUTOMATIC_RATE ? "auto" : mebibytes.format(bytes)),
};

/** Milliseconds, written as `30d`, `1h30m` or `500ms`. */
export const duration: SettingKind<number> = {
  expects: "a duration such as 30d, 1h30m or 500ms",
  placeholder: "duration",
  isSecret: false,
  parse: parseDuration,
  format: formatDuration,
};

/** A duration that is not 0. */
export const positiveDuration: SettingKind<number> = {
  ...duration,
  expects: "a duration above 0 such as 10s or 500ms",
  parse: (raw) => parseDuration(raw) || undefined,
};

/** Durations of levels by name, or by number from 0: `raw=30d,1h=2y`. */
export const levelDurations: SettingKind<Readonly<Partial<Record<Level, number>>>> = {
  expects: "durations of levels such as raw=30d,5m=90d,1h=1y,1h-service=2y,1d-service=5y",
  placeholder: "level=duration,…",
  isSecret: false,
  parse: parseLevelDurations,
  format: (value) =>
    Object.entries(value)
      .map(([level, millis]) => `${level}=${formatDuration(millis)}`)
      .join(","),
};

function parseLevelDurations(raw: string): Partial<Record<Level, number>> | undefined {
  const millisOf: Partial<Record<Level, number>> = {};
  for (const part of raw.split(",").filter((item) => item.trim() !== "")) {
    const [name = "", text = ""] = part.split(/[=:]/).map((side) => side.trim());
    const level = LEVELS.find((one, index) => one === name || String(index) === name);
    const millis = parseDuration(text);
    if (level === undefined || millis === undefined) return undefined;
    millisOf[level] = millis;
  }
  return millisOf;
}

/** Levels of roll-ups: the first ones of all, since each is made of the one before it. */
export const rollUpLevels: SettingKind<readonly RollUpLevel[]> = {
  expects: `none, or the first of ${ROLL_UP_LEVELS.join(",")}`,
  placeholder: "levels",
  isSecret: false,
  parse: (raw) => {
    if (raw === "none") return [];
    const levels = ROLL_UP_LEVELS.slice(0, raw.split(",").length);
    return levels.join(",") === raw ? levels : undefined;
  },
  format: (levels) => (levels.length === 0 ? "none" : levels.join(",")),
};

/** Where to listen. */
export const bindAddress: SettingKind<BindAddress> = {
  expects: "host:port, or :port for every interface",
  placeholder: "host:port",
  isSecret: false,
  parse: parseBindAddress,
  format: formatBindAddress,
};

/** Tokens of roles. */
export const authTokens: SettingKind<readonly AuthToken[]> = {
  expects: "push=TOKEN,read=TOKEN,admin=TOKEN (or @FILE with that text, or push=@FILE)",
  placeholder: "tokens",
  isSecret: true,
  parse: parseAuthTokens,
  format: formatAuthTokens,
};

/** A path prefix: empty, or `/a/b` without a slash at the end. */
export const pathPrefix: SettingKind<string> = {
  expects: "a path such as /pyroscope",
  placeholder: "path",
  isSecret: false,
  parse: (raw) => {
    const path = raw.replace(/\/+$/, "");
    return path === "" || /^(?:\/[\w~-][\w.~-]*)+$/.test(path) ? path : undefined;
  },
  format: (value) => value,
};

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): SettingKind<Word> {
  return {
    expects: `one of ${words.join(", ")}`,
    placeholder: words.join("|"),
    isSecret: false,
    parse: (raw) => words.find((word) => word === raw),
    format: (value) => value,
  };
}
