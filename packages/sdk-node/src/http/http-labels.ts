import type { IncomingMessage, ServerResponse } from "node:http";
import { tagWrapper } from "../index.ts";
import { guessRoute, ROUTE_LABEL } from "./route-label.ts";

/** Options of {@link httpLabels}. */
export interface HttpLabelOptions {
  /**
   * The route of a request, such as `/orders/:id`; undefined for none. By default its path with `:id` in place of what
   * looks like an id.
   */
  readonly route?: (request: IncomingMessage) => string | undefined;
}

/**
 * Labels what a request listener of `node:http` does with the route: the label `route`.
 *
 *     createServer(httpLabels(listener)).listen(3000);
 */
export function httpLabels<S, I extends IncomingMessage, O extends ServerResponse, T>(
  listener: (this: S, request: I, response: O) => T,
  options: HttpLabelOptions = {},
): (this: S, request: I, response: O) => T {
  const routeOf = options.route ?? ((request) => guessRoute(request.url ?? ""));
  return tagWrapper.handler((request) => ({ [ROUTE_LABEL]: routeOf(request) }), listener);
}
