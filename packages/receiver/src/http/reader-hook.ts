import type { FastifyInstance } from "fastify";
import type { IngestionDoctor } from "../ingest/ingestion-doctor.ts";
import { getRequestContext } from "./request-context.ts";
import { findRoute } from "./routes.ts";

/** What {@link addReaderHook} works with. */
export interface ReaderHookOptions {
  readonly doctor: Pick<IngestionDoctor, "observeReader">;
  readonly clock: { nowUnixMillis(): number };
}

/** Tells the doctor who reads. Comes after the hook that resolves tenants. */
export function addReaderHook(app: FastifyInstance, { doctor, clock }: ReaderHookOptions): void {
  app.addHook("onRequest", async (request) => {
    if (findRoute(request.routeOptions.url)?.policy !== "read") return;
    const { tenants, client } = getRequestContext(request);
    for (const tenant of tenants) doctor.observeReader(tenant, client, clock.nowUnixMillis());
  });
}
