import { METHODS } from "node:http";
import type { FastifyInstance } from "fastify";
import { ReceiverError } from "../errors.ts";
import { findRoute, routes } from "./routes.ts";

/** Methods that Node takes and the router does not know by itself; CONNECT never reaches a router. */
function addMethods(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (method !== "CONNECT" && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
}

/**
 * Holds the server to the route table: a handler on a path that is not in it, or with another method, throws; every other
 * method of a listed path is answered 405. Call it before any route is added, and the function that it returns after all:
 * that one throws when a row has no handler.
 */
export function addMethodGuard(app: FastifyInstance): () => void {
  addMethods(app);
  const handled = new Set<string>();
  let isComplete = false;

  app.addHook("onRoute", ({ url, method }) => {
    if (isComplete) return;
    const row = findRoute(url);
    const methods = [method].flat();
    const isListed = row !== undefined && methods.every((name) => allowedMethods(row.method).includes(name));
    if (!isListed) {
      throw new ReceiverError(`route ${methods.join()} ${url}: not in the route table`, { code: "INTERNAL" });
    }
    handled.add(row.path);
  });

  return () => {
    isComplete = true;
    for (const { path, method } of routes) {
      if (!handled.has(path)) {
        throw new ReceiverError(`route ${method} ${path}: has no handler`, { code: "INTERNAL" });
      }
      const allowed = allowedMethods(method);
      app.route({
        url: path,
        method: app.supportedMethods.filter((name) => !allowed.includes(name)),
        // Before the body is read: what it holds does not matter.
        onRequest: async (request, reply) => {
          reply.header("allow", allowed.join(", "));
          throw new ReceiverError(`${request.method} is not a method of this path`, {
            code: "METHOD_NOT_ALLOWED",
          });
        },
        handler: async () => undefined,
      });
    }
  };
}

function allowedMethods(method: "GET" | "POST"): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}
