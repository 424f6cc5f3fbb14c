import type { PyroscopeOptions } from "./options.ts";

/**
 * One value of a setting, however it is spelled: in code (`fromOption`) or as text (`fromText`). Both give
 * `undefined` for what they do not accept.
 */
export interface SettingKind<T> {
  /** Completes the sentence "expected …". */
  readonly expects: string;
  readonly fromOption: (value: unknown) => T | undefined;
  readonly fromText: (text: string) => T | undefined;
}

/** An environment variable; `read` finds the setting's text where the variable holds more than that. */
export interface EnvSource {
  readonly name: string;
  readonly read?: (raw: string) => string | undefined;
}

/** One setting: how it is spelled in code and in the environment, and what it means. */
export interface Setting<T> {
  readonly option: keyof PyroscopeOptions;
  /** In order of precedence. */
  readonly env: readonly EnvSource[];
  readonly fallback: T;
  /** The fallback as the documentation writes it. */
  readonly fallbackText: string;
  readonly kind: SettingKind<T>;
  readonly help: string;
  /** True where the value must not be printed. */
  readonly isSecret?: boolean;
  /** What `null` in code means; where it is not set, `null` is as good as nothing. */
  readonly nullValue?: T;
}

/** Variables that hold a setting's text as it is. */
export function environment(...names: readonly string[]): readonly EnvSource[] {
  return names.map((name) => ({ name }));
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["kb", 1024],
  ["kib", 1024],
  ["m", 1024 ** 2],
  ["mb", 1024 ** 2],
  ["mib", 1024 ** 2],
]);

/** Milliseconds of `"15s"`, `"1m30s"`, `"250ms"` or `"250"`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (UNIT_MS.get(unit ?? "") ?? Number.NaN);
  }
  return totalMs;
}

/** Bytes of `"512k"`, `"8MiB"` or `"4096"` (k and M are powers of 1024); undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase()) ?? [];
  const factor = UNIT_BYTES.get(unit ?? "?");
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}

function isWithin(value: number | undefined, minimum: number, maximum: number): value is number {
  return value !== undefined && Number.isFinite(value) && value >= minimum && value <= maximum;
}

/** A text that is not empty after trimming and satisfies `accepts`. */
export function textKind(
  expects: string,
  accepts: (text: string) => boolean = () => true,
): SettingKind<string> {
  const fromText = (text: string): string | undefined => {
    const trimmed = text.trim();
    return trimmed !== "" && accepts(trimmed) ? trimmed : undefined;
  };
  return {
    expects,
    fromText,
    fromOption: (value) => (typeof value === "string" ? fromText(value) : undefined),
  };
}

/** A whole number from `minimum` to `maximum`; in code always a number, never a text. */
export function integerKind(minimum: number, maximum: number): SettingKind<number> {
  const check = (value: number): number | undefined =>
    Number.isInteger(value) && isWithin(value, minimum, maximum) ? value : undefined;
  return {
    expects: `a whole number from ${minimum} to ${maximum}`,
    fromText: (text) => (/^\s*\d+\s*$/.test(text) ? check(Number(text)) : undefined),
    fromOption: (value) => (typeof value === "number" ? check(value) : undefined),
  };
}

/** Milliseconds, as a number or as text with a unit. */
export function durationKind(minimum: string, maximum: string): SettingKind<number> {
  const minimumMs = parseDuration(minimum) ?? 0;
  const maximumMs = parseDuration(maximum) ?? Number.POSITIVE_INFINITY;
  const check = (value: number | undefined): number | undefined =>
    isWithin(value, minimumMs, maximumMs) ? value : undefined;
  return {
    expects: `milliseconds or a duration such as "15s", from ${minimum} to ${maximum}`,
    fromText: (text) => check(parseDuration(text)),
    fromOption: (value) => {
      if (typeof value === "number") return check(value);
      return typeof value === "string" ? check(parseDuration(value)) : undefined;
    },
  };
}

/** Bytes, as a number or as text with a unit. */
export function sizeKind(minimum: string, maximum: string): SettingKind<number> {
  const minimumBytes = parseSize(minimum) ?? 0;
  const maximumBytes = parseSize(maximum) ?? Number.POSITIVE_INFINITY;
  const check = (value: number | undefined): number | undefined =>
    isWithin(value, minimumBytes, maximumBytes) ? Math.round(value) : undefined;
  return {
    expects: `bytes or a size such as "512k", from ${minimum} to ${maximum}`,
    fromText: (text) => check(parseSize(text)),
    fromOption: (value) => {
      if (typeof value === "number") return check(value);
      return typeof value === "string" ? check(parseSize(value)) : undefined;
    },
  };
}

const TRUE_TEXTS: ReadonlySet<string> = new Set(["true", "1", "yes", "on"]);
const FALSE_TEXTS: ReadonlySet<string> = new Set(["false", "0", "no", "off"]);

/** Yes or no. */
export const booleanKind: SettingKind<boolean> = {
  expects: "true or false",
  fromText: (text) => {
    const lower = text.trim().toLowerCase();
    if (TRUE_TEXTS.has(lower)) return true;
    return FALSE_TEXTS.has(lower) ? false : undefined;
  },
  fromOption: (value) => (typeof value === "boolean" ? value : undefined),
};

/** One of a fixed list of words. */
export function choiceKind<T extends string>(choices: readonly T[]): SettingKind<T> {
  const find = (text: string): T | undefined =>
    choices.find((choice) => choice === text.trim().toLowerCase());
  return {
    expects: `one of ${choices.join(", ")}`,
    fromText: find,
    fromOption: (value) => (typeof value === "string" ? find(value) : undefined),
  };
}

/** Some of a fixed list of words, each at most once; as text separated by commas. */
export function choicesKind<T extends string>(choices: readonly T[]): SettingKind<readonly T[]> {
  const findAll = (words: readonly unknown[]): readonly T[] | undefined => {
    const found = words.map((word) => choices.find((choice) => choice === word));
    if (found.length === 0 || found.includes(undefined)) return undefined;
    // In the order of the list, so that equal settings compare equal.
    return choices.filter((choice) => found.includes(choice));
  };
  return {
    expects: `some of ${choices.join(", ")}`,
    fromText: (text) => findAll(text.split(",").map((word) => word.trim().toLowerCase())),
    fromOption: (value) => (Array.isArray(value) ? findAll(value) : undefined),
  };
}

/** Names and values of `a=b,c=d`, trimmed; undefined for anything else. */
export function parsePairs(text: string): readonly (readonly [string, string])[] | undefined {
  const pairs = text
    .split(",")
    .filter((pair) => pair.trim() !== "")
    .map((pair) => /^\s*([^=]*[^=\s])\s*=(.*)$/.exec(pair));
  if (pairs.includes(null)) return undefined;
  return pairs.map((match) => [match?.[1] ?? "", (match?.[2] ?? "").trim()] as const);
}

/** Names and values: an object in code, `a=b,c=d` as text. `convert` gives undefined for what it refuses. */
export function pairsKind<T>(
  expects: string,
  convert: (pairs: readonly (readonly [string, unknown])[]) => T | undefined,
): SettingKind<T> {
  return {
    expects,
    fromText: (text) => {
      const pairs = parsePairs(text);
      return pairs && convert(pairs);
    },
    fromOption: (value) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      return convert(Object.entries(value));
    },
  };
}
