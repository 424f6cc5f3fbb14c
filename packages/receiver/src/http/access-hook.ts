import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../errors.ts";
import { FORWARDED_HEADER } from "../forward/forwarded-push.ts";
import type { Authenticator } from "./authenticator.ts";
import { setRequestContext } from "./request-context.ts";
import { findRoute, type RoutePolicy } from "./routes.ts";
import { ANONYMOUS_TENANT, parseTenants } from "./tenants.ts";

/** Longest part of a `User-Agent` that is kept: it goes into log lines. */
const MAX_CLIENT_LENGTH = 200;

const ROLE_VERBS: Readonly<Record<RoutePolicy, string>> = {
  ...{ push: "push", read: "read", admin: "delete" },
  ...{ any: "ask about", open: "ask about" },
};

/** What {@link addAccessHook} needs. */
export interface AccessHookOptions {
  readonly authenticator: Authenticator;
  readonly isMultitenancyEnabled: boolean;
}

/**
 * Decides, before a body is read, whether a request may go on and for which tenants.
 *
 * The policy belongs to the route that was matched, not to the text of the URL: another spelling of a path either
 * reaches the same route and its policy or none.
 */
export function addAccessHook(app: FastifyInstance, options: AccessHookOptions): void {
  app.addHook("onRequest", async (request, reply) => {
    const route = findRoute(request.routeOptions.url);
    if (route === undefined) return;
    const decision = options.authenticator.decide(route.policy, request.headers.authorization);
    if (decision === "unauthenticated") {
      challenge(request, reply);
      throw new ReceiverError("a token is needed: send it as Authorization: Bearer TOKEN", {
        code: "UNAUTHENTICATED",
      });
    }
    if (decision === "forbidden") {
      throw new ReceiverError(`this token does not allow to ${ROLE_VERBS[route.policy]} profiles`, {
        code: "PERMISSION_DENIED",
      });
    }
    if (
      (route.policy === "push" || route.policy === "admin") &&
      request.headers["sec-fetch-site"] === "cross-site"
    ) {
      // A page of another site can send forms here, with the Basic password that the browser remembers.
      throw new ReceiverError(`a page of another site may not ${ROLE_VERBS[route.policy]} profiles`, {
        code: "PERMISSION_DENIED",
      });
    }
    setRequestContext(request, {
      tenants: isTenantless(route.policy) ? [] : resolveTenants(request, options),
      requestId: randomUUID(),
      client: (request.headers["user-agent"] ?? "").slice(0, MAX_CLIENT_LENGTH),
      ...(request.headers[FORWARDED_HEADER] === undefined ? {} : { isForwarded: true }),
    });
  });
}

function isTenantless(policy: string): boolean {
  return policy === "open" || policy === "any";
}

function resolveTenants(request: FastifyRequest, options: AccessHookOptions): readonly string[] {
  if (!options.isMultitenancyEnabled) return [ANONYMOUS_TENANT];
  return parseTenants(request.headers["x-scope-orgid"]);
}

/** Browsers show their own password dialog for Basic, also under a page's fetch(), where the page asks by itself. */
function challenge(request: FastifyRequest, reply: FastifyReply): void {
  const bearer = 'Bearer realm="pyroscope"';
  const isFetch = request.headers["sec-fetch-dest"] === "empty";
  reply.header("www-authenticate", isFetch ? bearer : [bearer, 'Basic realm="pyroscope", charset="UTF-8"']);
}
