import type { FastifyInstance } from "fastify";
import type { IngestionDoctor } from "../../ingest/ingestion-doctor.ts";
import { getRequestContext } from "../request-context.ts";

/** Options of {@link addDoctorRoute}. */
export interface DoctorRouteOptions {
  readonly doctor: IngestionDoctor;
  readonly clock: { nowUnixMillis(): number };
}

/** `GET /api/v1/doctor`: the last refusals and oddities of each tenant of the request, how to fix them, and who sends what. */
export function addDoctorRoute(app: FastifyInstance, { doctor, clock }: DoctorRouteOptions): void {
  app.get("/api/v1/doctor", async (request) => {
    const { tenants } = getRequestContext(request);
    const now = clock.nowUnixMillis();
    return { tenants: tenants.map((tenant) => ({ tenant, ...doctor.diagnose(tenant, now) })) };
  });
}
