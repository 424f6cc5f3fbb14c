import { ReceiverError } from "../errors.ts";

/** The tenant of a server without multi-tenancy. Source: Pyroscope, `auth.multitenancy-enabled`. */
export const ANONYMOUS_TENANT = "anonymous";

/** Longest tenant id that Pyroscope accepts. */
const MAX_TENANT_LENGTH = 150;

/**
 * Reads `X-Scope-OrgID`: one tenant, or several joined by `|` for reads. A suffix `:key=value` is dropped.
 *
 * @returns tenants without duplicates, in byte order.
 * @throws {@link ReceiverError} `UNAUTHENTICATED` without a header, `INVALID_ARGUMENT` for an id that is too long, a
 * path, or has other characters than `A-Za-z0-9` and `!-_.*'()`. Texts are Pyroscope's.
 */
export function parseTenants(header: string | readonly string[] | undefined): readonly string[] {
  if (header === undefined || header === "") {
    throw new ReceiverError("no org id", { code: "UNAUTHENTICATED" });
  }
  // Node joins repeated headers with ", ": neither character is allowed in an id, so a second header is refused.
  const text = typeof header === "string" ? header : header.join(", ");
  const tenants = text.split("|").map((part) => checkTenant(part.replace(/:.*$/s, "")));
  return [...new Set(tenants)].sort();
}

/**
 * The one tenant of a write.
 *
 * @throws {@link ReceiverError} `INVALID_ARGUMENT` when there are several.
 */
export function requireOneTenant(tenants: readonly string[]): string {
  const [tenant, ...others] = tenants;
  if (tenant === undefined || others.length > 0) {
    throw new ReceiverError("multiple org IDs present", { code: "INVALID_ARGUMENT" });
  }
  return tenant;
}

function checkTenant(tenant: string): string {
  if (tenant === "") throw new ReceiverError("no org id", { code: "UNAUTHENTICATED" });
  if (tenant.length > MAX_TENANT_LENGTH) {
    throw new ReceiverError(`tenant ID is too long: max ${MAX_TENANT_LENGTH} characters`, {
      code: "INVALID_ARGUMENT",
    });
  }
  const unsupported = /[^A-Za-z0-9!\-_.*'()]/u.exec(tenant)?.[0];
  if (unsupported !== undefined) {
    throw new ReceiverError(`tenant ID '${tenant}' contains unsupported character '${unsupported}'`, {
      code: "INVALID_ARGUMENT",
    });
  }
  if (tenant === "." || tenant === "..") {
    throw new ReceiverError("tenant ID is '.' or '..'", { code: "INVALID_ARGUMENT" });
  }
  return tenant;
}
