import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Clock } from "../../clock.ts";
import { listLimitValues } from "../../config/limit-values.ts";
import type { TenantLimits } from "../../config/tenant-limits.ts";
import type { Forwarder } from "../../forward/forwarder.ts";
import type { Readiness } from "../../readiness.ts";
import type { Recorded, RulesService } from "../../rules/rules-service.ts";
import type { MetricSet, ReceiverMetrics } from "../../telemetry/metrics.ts";
import type { StorageStatus } from "../../worker/storage-service.ts";
import type { Authenticator } from "../authenticator.ts";
import type { BodyBudget } from "../body/body-budget.ts";
import { ANONYMOUS_TENANT, parseTenants } from "../tenants.ts";
import { renderRecorded } from "./recorded-metrics.ts";

/** Options of {@link addMetricsRoute}. */
export interface MetricsRouteOptions {
  readonly metrics: ReceiverMetrics;
  readonly readiness: Readiness;
  readonly bodyBudget: BodyBudget;
  readonly limits: Pick<TenantLimits, "defaults" | "overrides">;
  readonly forwarder?: Pick<Forwarder, "waitingBytes">;
  readonly rules: Pick<RulesService, "recorded">;
  readonly authenticator: Authenticator;
  readonly isMultitenancyEnabled: boolean;
  readonly clock: Pick<Clock, "setTimer">;
}

/** A storage thread that takes longer is busy; the numbers of this thread are asked for then most of all. */
const RECORDED_TIMEOUT_MS = 2000;

/**
 * `GET /metrics`: the receiver's own metrics as Prometheus text, and what recording rules have summed. The latter shows
 * labels of profiles: it is for who may read, and of the tenants that the request names.
 */
export function addMetricsRoute(app: FastifyInstance, options: MetricsRouteOptions): void {
  const { metrics, contentType } = options.metrics;
  app.get("/metrics", async (request, reply) => {
    const { storage } = options.readiness;
    metrics.inflightBodyBytes.set(options.bodyBudget.inflightBytes);
    metrics.forwardQueueBytes.set(options.forwarder?.waitingBytes ?? 0);
    if (storage !== undefined) setStorageMetrics(metrics, storage);
    setLimitMetrics(metrics, options.limits);
    const recorded = storage === undefined ? "" : await readRecorded(options, request);
    return reply.type(contentType).send(`${await options.metrics.render()}${recorded}`);
  });
}

async function readRecorded(options: MetricsRouteOptions, request: FastifyRequest): Promise<string> {
  const { authenticator, clock, metrics, rules } = options;
  const mayRead = authenticator.decide("read", request.headers.authorization) === "allowed";
  const tenants = mayRead ? namedTenants(options, request) : [];
  let onTimeout: () => void = () => undefined;
  const timeout = new Promise<undefined>((resolve) => {
    onTimeout = () => resolve(undefined);
  });
  const timer = clock.setTimer(() => onTimeout(), RECORDED_TIMEOUT_MS);
  let recorded: Recorded | undefined;
  try {
    recorded = await Promise.race([rules.recorded({ tenants }), timeout]);
  } finally {
    timer.cancel();
  }
  if (recorded === undefined) {
    return `# recording rules are left out: the storage has not answered for ${RECORDED_TIMEOUT_MS} ms\n`;
  }
  metrics.metrics.failedRecordings.set(recorded.failureCount);
  return renderRecorded(recorded.series);
}

function namedTenants(
  { isMultitenancyEnabled }: MetricsRouteOptions,
  request: FastifyRequest,
): readonly string[] {
  if (!isMultitenancyEnabled) return [ANONYMOUS_TENANT];
  const header = request.headers["x-scope-orgid"] ?? "";
  return header === "" ? [] : parseTenants(header);
}

/** Limits that are no numbers are not shown. */
function setLimitMetrics(metrics: MetricSet, { defaults, overrides }: MetricsRouteOptions["limits"]): void {
  for (const { name, value } of listLimitValues(defaults)) {
    if (value !== undefined) metrics.limitsDefaults.set({ limit_name: name }, value);
  }
  // A tenant or a limit that is no longer in the file.
  metrics.limitsOverrides.reset();
  for (const [tenant, limits] of overrides) {
    for (const { name, value } of listLimitValues(limits)) {
      if (value !== undefined) metrics.limitsOverrides.set({ limit_name: name, tenant }, value);
    }
  }
}

function setStorageMetrics(metrics: MetricSet, status: StorageStatus): void {
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
  metrics.queryCacheHits.set(status.cacheHitCount);
  metrics.queryCacheMisses.set(status.cacheMissCount);
  metrics.queryCacheBytes.set(status.cachedAnswerBytes);
  metrics.joinedQueries.set(status.joinedQueryCount);
  metrics.storageTakesWrites.set(status.takesWrites ? 1 : 0);
}
