import type { IncomingMessage, ServerResponse } from "node:http";
import { tagWrapper } from "../index.ts";
import { isProfiling } from "../spans.ts";
import { formatRoutePath, labelRoute, watchProperty } from "./route-label.ts";

/** A middleware of Express and Connect. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** What Express adds to a request. */
interface ExpressRequest extends IncomingMessage {
  readonly baseUrl?: string;
}

/**
 * Labels what the handlers of a request do with its route: the label `route`, such as `/orders/:id`. For Express 4 and 5.
 *
 *     app.use(expressLabels());
 *
 * Express knows the route when it has found it; what runs before that, and requests without a route, have no label.
 */
export function expressLabels(): Middleware {
  return function labelRequest(request, _response, next) {
    if (!isProfiling()) {
      next();
      return;
    }
    watchRoute(request);
    // Labels set further down end with this call, so that a pipelined request does not find them.
    tagWrapper({}, next);
  };
}

function watchRoute(request: ExpressRequest): void {
  const params = new Map<string, string>();
  // A router's own parameters are known only while Express goes through it.
  watchProperty(request, "params", (value) => {
    for (const [name, text] of Object.entries(value ?? {})) {
      if (typeof text === "string") params.set(text, name);
    }
  });
  watchProperty(request, "route", (route) => {
    if (typeof route !== "object" || route === null) return;
    const path = formatRoutePath(Reflect.get(route, "path"));
    labelRoute(joinPaths(nameParams(request.baseUrl ?? "", params), path));
  });
}

/** The path at which a router is mounted, with the names of its parameters in place of their values. */
function nameParams(path: string, params: ReadonlyMap<string, string>): string {
  if (params.size === 0) return path;
  return path
    .split("/")
    .map((segment) => {
      const name = params.get(decodeSegment(segment));
      return name === undefined ? segment : `:${name}`;
    })
    .join("/");
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A lone % is not an escape: take it as it stands.
    return segment;
  }
}

function joinPaths(base: string, path: string): string {
  if (path === "/") return base === "" ? "/" : base;
  return `${base}${path}`;
}
