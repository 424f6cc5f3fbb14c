import { Secret } from "./secret.ts";
import type { FileReader } from "./setting.ts";

const ROLES = ["push", "read", "admin"] as const;
/** What a token lets its bearer do: send profiles, read them, or delete them. */
export type TokenRole = (typeof ROLES)[number];

/** One token of one role. A token that may do several stands several times. */
export interface AuthToken {
  readonly role: TokenRole;
  readonly secret: Secret;
}

/**
 * Reads `push=TOKEN,read=TOKEN`. A role may have several tokens, so that one can be replaced without a gap. `push=@FILE`
 * takes the token from a file, `@FILE` all of the text, with line breaks for commas.
 *
 * @returns undefined when a part is not a role with a token behind it.
 * @throws what `readFile` throws.
 */
export function parseAuthTokens(text: string, readFile: FileReader): readonly AuthToken[] | undefined {
  const spec = text.startsWith("@") ? readFile(text.slice(1)) : text;
  const parts = spec
    .split(/[,\r\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("#"));
  const tokens = parts.map((part) => parseAuthToken(part, readFile));
  return tokens.length > 0 && tokens.every((token) => token !== undefined) ? tokens : undefined;
}

/** What is shown of tokens: their roles. */
export function formatAuthTokens(tokens: readonly AuthToken[]): string {
  return tokens.map(({ role, secret }) => `${role}=${secret}`).join(",");
}

function parseAuthToken(part: string, readFile: FileReader): AuthToken | undefined {
  const at = part.indexOf("=");
  const role = ROLES.find((name) => name === part.slice(0, at));
  if (role === undefined) return undefined;
  const value = part.slice(at + 1);
  const token = value.startsWith("@") ? readFile(value.slice(1)).trim() : value;
  // Printable ASCII without spaces, so that the token fits into an Authorization header as it is.
  return /^[\x21-\x7e]+$/.test(token) ? { role, secret: new Secret(token) } : undefined;
}
