// The entry `@pyroscope-ts/sdk-node/http`: labels by route for web frameworks, and profiles that are pulled.
export type { Middleware } from "./http/express-labels.ts";
export { expressLabels } from "./http/express-labels.ts";
export type { FastifyLike, FastifyRequestLike } from "./http/fastify-labels.ts";
export { fastifyLabels } from "./http/fastify-labels.ts";
export type { HapiPlugin, HapiRouteLike, HapiServerLike } from "./http/hapi-labels.ts";
export { hapiLabels } from "./http/hapi-labels.ts";
export type { HttpLabelOptions } from "./http/http-labels.ts";
export { httpLabels } from "./http/http-labels.ts";
export type { KoaMiddleware } from "./http/koa-labels.ts";
export { koaLabels } from "./http/koa-labels.ts";
export type { PprofHandler, PprofOptions } from "./http/pprof-handler.ts";
export { pprofHandler } from "./http/pprof-handler.ts";
export type { FastifyRoutes, HapiRoutes } from "./http/pprof-plugins.ts";
export { fastifyPprof, hapiPprof, koaPprof } from "./http/pprof-plugins.ts";
