import type { IncomingMessage, ServerResponse } from "node:http";
import type { HapiPlugin } from "./hapi-labels.ts";
import type { KoaMiddleware } from "./koa-labels.ts";
import type { PprofOptions } from "./pprof-handler.ts";
import { PPROF_PREFIX, pprofHandler } from "./pprof-handler.ts";

/** What the plugin uses of Fastify. */
export interface FastifyRoutes {
  get(
    path: string,
    handler: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): unknown },
    ) => void,
  ): unknown;
}

/**
 * The pull handlers as a plugin of Fastify: `app.register(fastifyPprof, { token })`. See {@link pprofHandler}.
 */
export function fastifyPprof(instance: FastifyRoutes, options: PprofOptions, done: () => void): void {
  const handler = pprofHandler(options);
  instance.get(`${PPROF_PREFIX}:name`, (request, reply) => {
    reply.hijack();
    handler(request.raw, reply.raw);
  });
  done();
}

/** What the middleware uses of Koa's context. */
interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  respond?: boolean;
}

/** The pull handlers as a middleware of Koa: `app.use(koaPprof({ token }))`. See {@link pprofHandler}. */
export function koaPprof(options: PprofOptions = {}): KoaMiddleware<KoaContext> {
  const handler = pprofHandler(options);
  return async (context, next) => {
    let isOurs = true;
    handler(context.req, context.res, () => {
      isOurs = false;
    });
    if (!isOurs) return await next();
    // Answered without Koa, which would send its own 404.
    context.respond = false;
    return undefined;
  };
}

/** What the plugin uses of Hapi. */
export interface HapiRoutes {
  route(route: {
    readonly method: "GET";
    readonly path: string;
    readonly options: { readonly auth: false };
    readonly handler: (
      request: { readonly raw: { readonly req: IncomingMessage; readonly res: ServerResponse } },
      toolkit: { readonly abandon: symbol },
    ) => symbol;
  }): unknown;
}

/** The pull handlers as a plugin of Hapi: `await server.register(hapiPprof({ token }))`. See {@link pprofHandler}. */
export function hapiPprof(options: PprofOptions = {}): HapiPlugin<HapiRoutes> {
  const handler = pprofHandler(options);
  return {
    name: "pyroscope-pprof",
    register(server) {
      server.route({
        method: "GET",
        path: `${PPROF_PREFIX}{name}`,
        // The handler has its own token.
        options: { auth: false },
        handler: ({ raw }, { abandon }) => {
          handler(raw.req, raw.res);
          return abandon;
        },
      });
    },
  };
}
