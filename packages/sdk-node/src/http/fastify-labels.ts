import { tagWrapper } from "../index.ts";
import { ROUTE_LABEL } from "./route-label.ts";

/** What the plugin reads of a request of Fastify. */
export interface FastifyRequestLike {
  readonly routeOptions: { readonly url?: string | undefined };
}

/** What the plugin uses of Fastify. */
export interface FastifyLike {
  addHook(
    name: "onRequest" | "preValidation",
    hook: (request: FastifyRequestLike, reply: unknown, done: () => void) => void,
  ): unknown;
}

function registerLabels(instance: FastifyLike, _options: object, done: () => void): void {
  const labelRequest = (request: FastifyRequestLike, _reply: unknown, next: () => void): void =>
    tagWrapper({ [ROUTE_LABEL]: request.routeOptions.url }, next);
  instance.addHook("onRequest", labelRequest);
  // Reading the body goes on in the context of the socket; this is the first hook after it.
  instance.addHook("preValidation", labelRequest);
  done();
}

/**
 * Labels what the hooks and handlers of a request do with its route: the label `route`, such as `/orders/:id`.
 *
 *     fastify.register(fastifyLabels);
 */
export const fastifyLabels: (instance: FastifyLike, options: object, done: () => void) => void =
  Object.assign(
    registerLabels,
    // The hooks are for the whole instance, not for a context of the plugin's own.
    {
      [Symbol.for("skip-override")]: true,
      [Symbol.for("fastify.display-name")]: "pyroscope-labels",
    },
  );
