import { Secret } from "./secret.ts";
import type { SettingKind } from "./setting.ts";

/** Another Pyroscope that gets a copy of what is pushed here. */
export interface ForwardTarget {
  /** `http` or `https`, without a slash at the end, a query or credentials. */
  readonly baseUrl: string;
  /** Value of the header `Authorization`; undefined: none is sent. */
  readonly authorization: Secret | undefined;
}

/** The address of another Pyroscope, with a user and password for Basic if it wants them; unset is undefined. */
export const forwardTarget: SettingKind<ForwardTarget | undefined> = {
  expects: "an http or https address such as https://USER:PASSWORD@pyroscope.example.com, without a query",
  placeholder: "url",
  isSecret: true,
  parse: parseForwardTarget,
  format: (target) => (target === undefined ? "" : formatTarget(target)),
};

/** The value of a header `Authorization: Bearer`, from a token or, as `@FILE`, from a file; unset is undefined. */
export const bearerToken: SettingKind<Secret | undefined> = {
  expects: "a token, or @FILE with one",
  placeholder: "token",
  isSecret: true,
  parse: (raw, readFile) => {
    const token = raw.startsWith("@") ? readFile(raw.slice(1)).trim() : raw;
    return /^[\x21-\x7e]+$/.test(token) ? new Secret(`Bearer ${token}`) : undefined;
  },
  format: (value) => (value === undefined ? "" : String(value)),
};

function parseForwardTarget(raw: string): ForwardTarget | undefined {
  const url = URL.parse(raw);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (url.search !== "" || url.hash !== "") return undefined;
  const { username, password } = url;
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  if (username === "" && password === "") return { baseUrl, authorization: undefined };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { baseUrl, authorization: new Secret(`Basic ${Buffer.from(credentials).toString("base64")}`) };
}

function formatTarget({ baseUrl, authorization }: ForwardTarget): string {
  return authorization === undefined ? baseUrl : baseUrl.replace("://", `://${authorization}@`);
}
