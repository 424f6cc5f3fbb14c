import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import type { Clock } from "./clock.ts";
import type { TenantLimits } from "./config/tenant-limits.ts";
import type { ReceiverConfig } from "./config.ts";
import type { Forwarder } from "./forward/forwarder.ts";
import { addAccessHook } from "./http/access-hook.ts";
import { createAuthenticator } from "./http/authenticator.ts";
import { createBodyBudget, smallerLimit } from "./http/body/body-budget.ts";
import { addCompressHook } from "./http/body/compress-hook.ts";
import { addConnectServices } from "./http/connect/connect-plugin.ts";
import { registerServices } from "./http/connect/connect-services.ts";
import { setErrorHandler } from "./http/error-handler.ts";
import { createFailureLog, type FailureLog } from "./http/failure-log.ts";
import { captureRoute } from "./http/manage/capture-route.ts";
import { addConfigRoutes } from "./http/manage/config-route.ts";
import { deleteApplicationRoute } from "./http/manage/delete-application-route.ts";
import { addDoctorRoute } from "./http/manage/doctor-route.ts";
import { addHealthRoutes, type BuildInfo } from "./http/manage/health-route.ts";
import { addLimitsRoutes } from "./http/manage/limits-route.ts";
import { addMetricsRoute } from "./http/manage/metrics-route.ts";
import { addMethodGuard } from "./http/method-guard.ts";
import { addMissingServices } from "./http/missing-services.ts";
import { addSlowClientGuard } from "./http/port/slow-client-guard.ts";
import { cardinalityRoute } from "./http/read/cardinality-route.ts";
import { countQueries } from "./http/read/counted-queries.ts";
import { hideApplications } from "./http/read/hidden-applications.ts";
import { labelValuesRoute } from "./http/read/label-values-route.ts";
import { renderRoute } from "./http/read/render-route.ts";
import { renderDiffRoute } from "./http/read/render-route-diff.ts";
import { spansRoute } from "./http/read/spans-route.ts";
import { bindQueries } from "./http/read/tenant-queries.ts";
import { addReaderHook } from "./http/reader-hook.ts";
import { requestContextKey } from "./http/request-context.ts";
import { addRequestMetrics } from "./http/request-metrics-hook.ts";
import { addResponseHeaders } from "./http/response-headers.ts";
import { findRoute } from "./http/routes.ts";
import { addServingGuard } from "./http/serving-guard.ts";
import { addUi } from "./http/ui-plugin.ts";
import { CaptureOrders } from "./http/write/capture-orders.ts";
import { ingestRoute } from "./http/write/ingest-route.ts";
import { otlpRoute, rewriteOtlpUrl } from "./http/write/otlp-route.ts";
import { createProfileWriter } from "./http/write/profile-writer.ts";
import { createPushGate } from "./http/write/push-gate.ts";
import { addPushGuard } from "./http/write/push-guard.ts";
import { createPushCall, PUSH_PATH } from "./http/write/push-route.ts";
import { createPushShortcut } from "./http/write/push-shortcut.ts";
import { IngestionDoctor } from "./ingest/ingestion-doctor.ts";
import type { Readiness } from "./readiness.ts";
import type { ReceiverLogger } from "./telemetry/log.ts";
import type { ReceiverMetrics } from "./telemetry/metrics.ts";
import type { StorageService } from "./worker/storage-service.ts";

/** What the HTTP side works with. */
export interface AppServices {
  readonly config: ReceiverConfig;
  readonly limits: TenantLimits;
  readonly storage: StorageService;
  readonly readiness: Readiness;
  readonly metrics: ReceiverMetrics;
  readonly log: ReceiverLogger;
  readonly clock: Clock;
  readonly buildInfo: BuildInfo;
  /** Gets a copy of what is accepted; absent: nobody does. */
  readonly forwarder?: Forwarder;
  /** Where the built web UI is. */
  readonly uiDirectory: string;
  /** Makes the listening server; absent: Fastify's own, which tests never let listen. */
  readonly serverFactory?: FastifyServerOptions["serverFactory"];
}

/** Builds the server from the route table. It does not listen. */
export async function createApp(services: AppServices): Promise<FastifyInstance> {
  const { config, log, metrics, readiness } = services;
  const app = fastify({
    // Requests are measured; what fails is logged where it fails.
    logger: false,
    // A connection that is idle may be cut at once when the server stops; others have their answer first.
    forceCloseConnections: "idle",
    rewriteUrl: ({ url = "/", headers }) =>
      rewriteOtlpUrl(joinSlashes(stripPrefix(joinSlashes(url), config.baseUrl)), headers["content-type"]),
    ...(services.serverFactory === undefined ? {} : { serverFactory: services.serverFactory }),
  });
  const checkRoutes = addMethodGuard(app);
  const logFailure = createFailureLog(log, services.clock);
  setErrorHandler(app, logFailure);
  addRequestMetrics(app, metrics.metrics);
  addResponseHeaders(app, { isTls: config.tlsKeyFile !== undefined });
  addSlowClientGuard(app, { timeoutMs: config.readTimeoutMs });
  addAccessHook(app, {
    authenticator: createAuthenticator(config.authTokens),
    isMultitenancyEnabled: config.isMultitenancyEnabled,
  });
  addServingGuard(app, readiness);
  addCompressHook(app);
  await addRoutes(app, services, logFailure);
  checkRoutes();
  return app;
}

async function addRoutes(app: FastifyInstance, services: AppServices, logFailure: FailureLog): Promise<void> {
  const { config, metrics, readiness, storage } = services;
  const forwarding = services.forwarder === undefined ? {} : { forwarder: services.forwarder };
  const bound = bindQueries(countQueries(storage, metrics.metrics.queriesInProgress), (tenants) =>
    services.limits.queryOf(tenants),
  );
  const queries = hideApplications(bound, config.hiddenApplications);
  const bodyBudget = createBodyBudget(config.maxInflightBytes);
  const doctor = new IngestionDoctor();
  const orders = new CaptureOrders(services.clock);
  // Processes over a bucket wait for their next segment, however little they have to do.
  const maxPushWaitMs = config.bucket.postgresUrl === undefined ? config.maxPushWaitMs : 0;
  const writer = createProfileWriter({
    pushService: storage,
    gate: createPushGate(maxPushWaitMs, services.clock),
    limitsOf: (tenant) => services.limits.ingestOf(tenant),
    clock: services.clock,
    doctor,
    ...forwarding,
    metrics: metrics.metrics,
  });
  addPushGuard(app, { writer, readTimeoutMs: config.readTimeoutMs, logFailure });
  addHealthRoutes(app, { readiness, buildInfo: services.buildInfo });
  addConfigRoutes(app, { config });
  addReaderHook(app, { doctor, clock: services.clock });
  addLimitsRoutes(app, { limits: services.limits });
  addDoctorRoute(app, { doctor, clock: services.clock });
  await addMissingServices(app);
  addMetricsRoute(app, {
    ...{ metrics, readiness, bodyBudget, limits: services.limits, ...forwarding },
    ...{ rules: storage, authenticator: createAuthenticator(config.authTokens), clock: services.clock },
    isMultitenancyEnabled: config.isMultitenancyEnabled,
  });
  await app.register(ingestRoute, { writer, budget: bodyBudget });
  await app.register(deleteApplicationRoute, { storage });
  await app.register(captureRoute, { orders });
  await app.register(otlpRoute, { writer, budget: bodyBudget });
  const push = createPushCall({ writer, budget: bodyBudget, orders });
  const { readTimeoutMs } = config;
  await addConnectServices(app, {
    shortcuts: new Map([[PUSH_PATH, createPushShortcut({ push, readTimeoutMs, logFailure })]]),
    bodyBudget,
    maxMessageBytes: smallerLimit(config.ingestLimits.bodyLimitBytes, bodyBudget.maxBodyBytes),
    readTimeoutMs,
    onUnread: ({ service, method, values }, error) => {
      const { policy } = findRoute(`/${service.typeName}/${method.name}`) ?? {};
      if (policy === "push") writer.refuse(values.get(requestContextKey), error);
    },
    log: services.log,
    logFailure,
    addServices: (router) => registerServices(router, { ...services, queries, writer, bodyBudget, push }),
  });
  const reads = { queries, clock: services.clock };
  await app.register(renderRoute, reads);
  await app.register(renderDiffRoute, reads);
  await app.register(labelValuesRoute, reads);
  await app.register(cardinalityRoute, reads);
  await app.register(spansRoute, { ...reads, traceUrl: config.traceUrl });
  await addUi(app, { directory: services.uiDirectory, baseUrl: config.baseUrl });
}

/** Clients whose address ends in a slash ask for `//ingest`. */
function joinSlashes(url: string): string {
  return url.replace(/^\/+/, "/");
}

/** A proxy may or may not cut the prefix off: both work. */
function stripPrefix(url: string, prefix: string): string {
  if (prefix === "" || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : url;
}
