import type { FastifyInstance } from "fastify";

/**
 * Names of functions, files and labels come from anyone who may push: nothing that they could turn into may run in a
 * viewer's browser. `style-src` and `script-src` allow neither inline text nor eval. `base-uri 'self'` lets the page name
 * the path prefix that it was served under.
 */
const CONTENT_SECURITY_POLICY: string = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
  "base-uri 'self'",
].join("; ");

/** One year: what browsers ask for before they remember it. */
const HSTS = "max-age=31536000";

const baseHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Sets the headers that every response has, errors and Connect answers included. */
export function addResponseHeaders(app: FastifyInstance, options: { readonly isTls: boolean }): void {
  const headers = options.isTls ? { ...baseHeaders, "strict-transport-security": HSTS } : baseHeaders;
  app.addHook("onRequest", async (_request, reply) => {
    // Answers depend on the credential and on the moment; what may be kept says so itself.
    reply.headers({ ...headers, "cache-control": "no-store" });
  });
}
