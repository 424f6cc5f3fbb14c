import type { FastifyInstance } from "fastify";
import type { Readiness } from "../readiness.ts";
import { findRoute } from "./routes.ts";

/** Answers 503 on every route that needs the storage, before a body is read, while the storage cannot be asked. */
export function addServingGuard(app: FastifyInstance, readiness: Readiness): void {
  app.addHook("onRequest", async (request) => {
    const policy = findRoute(request.routeOptions.url)?.policy;
    if (policy !== "open" && policy !== "any") readiness.checkServing();
  });
}
