import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** What the server found out about a request before its handler runs. */
export interface RequestContext {
  /** One or more; writes call `requireOneTenant`. Empty on routes that belong to no tenant. */
  readonly tenants: readonly string[];
  /** Named in error answers of status 5xx and in the log. */
  readonly requestId: string;
  /** `User-Agent`, shortened. */
  readonly client: string;
}

declare module "fastify" {
  interface FastifyRequest {
    context: RequestContext;
  }
}

const NO_CONTEXT: RequestContext = { tenants: [], requestId: "", client: "" };

/** The context of a request in Connect handlers: `context.values.get(requestContextKey)`. */
export const requestContextKey: ContextKey<RequestContext> = createContextKey(NO_CONTEXT, {
  description: "what the server found out about the request",
});
