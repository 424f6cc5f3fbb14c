import type { ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus } from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { Readiness } from "../../readiness.ts";

/** What {@link createHealthCheck} works with. */
export interface HealthCheckRouteOptions {
  readonly readiness: Pick<Readiness, "reasons">;
  /** Full names of the services that may be asked after. */
  readonly services: readonly string[];
}

/**
 * `grpc.health.v1.Health`: what `GET /ready` says, for gRPC's own probes. All services are well or none is.
 *
 * Source: github.com/grpc/grpc, doc/health-checking.md.
 */
export function createHealthCheck({
  readiness,
  services,
}: HealthCheckRouteOptions): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      if (service !== "" && !services.includes(service)) {
        throw new ReceiverError(`unknown service ${JSON.stringify(service)}`, { code: "NOT_FOUND" });
      }
      const isServing = readiness.reasons.length === 0;
      const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
      return { status: isServing ? SERVING : NOT_SERVING };
    },
  };
}
