import type { FastifyInstance } from "fastify";
import type { Forwarder } from "../forward/forwarder.ts";
import type { Readiness } from "../readiness.ts";
import type { StoreStatus } from "../store/store.ts";
import type { MetricSet, ReceiverMetrics } from "../telemetry/metrics.ts";
import type { BodyBudget } from "./body-budget.ts";

/** Options of {@link addMetricsRoute}. */
export interface MetricsRouteOptions {
  readonly metrics: ReceiverMetrics;
  readonly readiness: Readiness;
  readonly bodyBudget: BodyBudget;
  readonly forwarder?: Pick<Forwarder, "waitingBytes">;
}

/** `GET /metrics`: the receiver's own metrics as Prometheus text. */
export function addMetricsRoute(app: FastifyInstance, options: MetricsRouteOptions): void {
  const { metrics, contentType } = options.metrics;
  app.get("/metrics", async (_request, reply) => {
    const { storage } = options.readiness;
    metrics.inflightBodyBytes.set(options.bodyBudget.inflightBytes);
    metrics.forwardQueueBytes.set(options.forwarder?.waitingBytes ?? 0);
    if (storage !== undefined) setStorageMetrics(metrics, storage);
    return reply.type(contentType).send(await options.metrics.render());
  });
}

function setStorageMetrics(metrics: MetricSet, status: StoreStatus): void {
  metrics.storageHeadRows.set(status.headRowCount);
  metrics.storageHeadBytes.set(status.headBytes);
  metrics.storageHeadProfiles.set(status.headProfileCount);
  metrics.activeSeries.set(status.activeSeriesCount);
  metrics.storageBlocks.set(status.blockCount);
  metrics.storageBlockBytes.set(status.blockBytes);
  metrics.storageLogSegments.set(status.logSegmentCount);
  metrics.storageLogBytes.set(status.logBytes);
  metrics.storageQuarantinedBlocks.set(status.quarantinedBlockCount);
  metrics.storageQuarantinedLogPieces.set(status.quarantinedLogPieceCount);
  metrics.storageDuplicateProfiles.set(status.duplicateProfileCount);
  metrics.storageFailedBlockWrites.set(status.failedBlockWriteCount);
  metrics.storageUnshippedBlocks.set(status.unshippedBlockCount);
  metrics.storageTakesWrites.set(status.takesWrites ? 1 : 0);
}
