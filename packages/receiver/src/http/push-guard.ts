import type { FastifyInstance } from "fastify";
import type { ProfileWriter } from "./profile-writer.ts";
import { getRequestContext } from "./request-context.ts";
import { findRoute } from "./routes.ts";

/** Answers pushes 503 before their bodies are read, while more is pushed than can be stored. */
export function addPushGuard(app: FastifyInstance, writer: Pick<ProfileWriter, "checkRoom">): void {
  app.addHook("onRequest", async (request) => {
    if (findRoute(request.routeOptions.url)?.policy === "push") writer.checkRoom(getRequestContext(request));
  });
}
