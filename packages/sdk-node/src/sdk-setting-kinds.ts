import type { Logger } from "./diagnostics.ts";
import { isHeaderName, isHeaderValue } from "./exporters/header-syntax.ts";
import { Secret } from "./secret.ts";
import type { SettingKind } from "./setting.ts";
import { pairsKind, textKind } from "./setting.ts";

/** The URL of a server. */
export const httpUrlKind: SettingKind<string> = textKind("an absolute http:// or https:// URL", (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.hostname !== "";
});

/** The value of an HTTP header. */
export const headerValueKind: SettingKind<string> = textKind(
  "printable ASCII without line breaks",
  isHeaderValue,
);

/** The same, where it must not be printed. */
export const secretHeaderKind: SettingKind<Secret | undefined> = mapKind(
  headerValueKind,
  (text) => new Secret(text),
);

/** A password. */
export const passwordKind: SettingKind<Secret | undefined> = mapKind(
  textKind("text"),
  (text) => new Secret(text),
);

/** A user of HTTP Basic, whose name ends at its first colon (RFC 7617 section 2). */
export const userKind: SettingKind<string> = textKind("text without a colon", (text) => !text.includes(":"));

/** HTTP headers, by names in lower case. */
export const headersKind: SettingKind<ReadonlyMap<string, Secret>> = pairsKind(
  "header names with values of printable ASCII",
  toHeaders,
);

/** Headers from names and values, or undefined when one of them cannot be a header. */
export function toHeaders(
  pairs: readonly (readonly [string, unknown])[],
): ReadonlyMap<string, Secret> | undefined {
  const headers = new Map<string, Secret>();
  for (const [name, value] of pairs) {
    if (typeof value !== "string" || !isHeaderName(name) || !isHeaderValue(value)) return undefined;
    headers.set(name.toLowerCase(), new Secret(value));
  }
  return headers;
}

/** The user's logger. */
export const loggerKind: SettingKind<Logger> = {
  expects: "an object with the functions error, warn, info and debug",
  fromText: () => undefined,
  fromOption: (value) => (isLogger(value) ? value : undefined),
};

function isLogger(value: unknown): value is Logger {
  if (typeof value !== "object" || value === null) return false;
  const functions: { readonly [K in keyof Logger]?: unknown } = value;
  return [functions.error, functions.warn, functions.info, functions.debug].every(
    (method) => typeof method === "function",
  );
}

/** The same setting with its value made into something else. */
export function mapKind<T, U>(kind: SettingKind<T>, convert: (value: T) => U): SettingKind<U | undefined> {
  const convertIfSet = (value: T | undefined): U | undefined =>
    value === undefined ? undefined : convert(value);
  return {
    expects: kind.expects,
    fromText: (text) => convertIfSet(kind.fromText(text)),
    fromOption: (value) => convertIfSet(kind.fromOption(value)),
  };
}
