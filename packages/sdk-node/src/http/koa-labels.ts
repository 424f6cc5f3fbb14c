import { tagWrapper } from "../index.ts";
import { isProfiling } from "../spans.ts";
import { formatRoutePath, labelRoute, watchProperty } from "./route-label.ts";

/** A middleware of Koa. */
export type KoaMiddleware<C extends object = object> = (
  context: C,
  next: () => Promise<unknown>,
) => Promise<unknown>;

/**
 * Labels what the handlers of a request do with its route: the label `route`, such as `/orders/:id`. For Koa with
 * `@koa/router`; before the router.
 *
 *     app.use(koaLabels());
 *
 * The router knows the route when it has found it; what runs before that, and requests without a route, have no label.
 */
export function koaLabels(): KoaMiddleware {
  return function labelRequest(context, next) {
    if (!isProfiling()) return next();
    // Where the router says what it found, with the prefix.
    watchProperty(context, "_matchedRoute", (path) => labelRoute(formatRoutePath(path)));
    return tagWrapper({}, next);
  };
}
