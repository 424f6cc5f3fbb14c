import type { IncomingMessage } from "node:http";
import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** What the server found out about a request before its handler runs. */
export interface RequestContext {
  /** One or more; writes call `requireOneTenant`. */
  readonly tenants: readonly string[];
  /** Named in answers of status 5xx and in the log. */
  readonly requestId: string;
  /** `User-Agent`, shortened; empty without one. */
  readonly client: string;
  /** Set when another receiver forwarded the request. */
  readonly isForwarded?: boolean;
}

const NO_CONTEXT: RequestContext = { tenants: [], requestId: "", client: "" };

/** The context of a request in Connect handlers: `context.values.get(requestContextKey)`. */
export const requestContextKey: ContextKey<RequestContext> = createContextKey(NO_CONTEXT, {
  description: "what the server found out about the request",
});

// Kept beside the request, not on it: what is on it must be declared for every Fastify instance of a program.
const contexts = new WeakMap<IncomingMessage, RequestContext>();

/** The context of a request in REST handlers: `getRequestContext(request)`. Empty on routes that belong to no tenant. */
export function getRequestContext(request: { readonly raw: IncomingMessage }): RequestContext {
  return contexts.get(request.raw) ?? NO_CONTEXT;
}

/** Sets what {@link getRequestContext} returns. */
export function setRequestContext(request: { readonly raw: IncomingMessage }, context: RequestContext): void {
  contexts.set(request.raw, context);
}
