import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createApp } from "./app.ts";
import { systemClock } from "./clock.ts";
import { type OverridesFile, openOverridesFile } from "./config/overrides-file.ts";
import { readOverrides } from "./config/overrides-source.ts";
import { createTenantLimits, listProvisionedRules } from "./config/tenant-limits.ts";
import type { ReceiverConfig } from "./config.ts";
import type { ReceiverError } from "./errors.ts";
import { createForwarder, type Forwarder } from "./forward/forwarder.ts";
import { createSendPush } from "./forward/send-push.ts";
import { createOnePortServer } from "./http/port/one-port-server.ts";
import { listen } from "./listen.ts";
import { createReadiness } from "./readiness.ts";
import { createLogger, type ReceiverLogger } from "./telemetry/log.ts";
import { createMetrics, type ReceiverMetrics } from "./telemetry/metrics.ts";
import { readTlsFiles, type TlsFiles } from "./tls-files.ts";
import { type StorageClient, startStorage } from "./worker/storage-client.ts";
import { toBucketPlace, toClickHousePlace, toSharedPlace } from "./worker/storage-options.ts";

/** One receiver: an HTTP server, a storage thread, a data directory. */
export interface Receiver {
  /**
   * Opens the data directory and listens; resolves with the address, such as `http://127.0.0.1:4040`. Requests are answered
   * 503 until the write-ahead log has been replayed: `GET /ready` tells.
   *
   * @throws {@link ReceiverError} `LISTEN_FAILED`, `STORAGE_LOCKED`, `STORAGE_FORMAT`, or `CONFIG_INVALID` for TLS files.
   */
  start(): Promise<string>;
  /**
   * Stops accepting, answers what is in flight (for at most the configured time), flushes, and releases the data directory.
   * A second call returns the first one's promise.
   */
  stop(): Promise<void>;
  /** Resolves with the reason when the receiver cannot go on: its storage thread is gone. */
  readonly failed: Promise<ReceiverError>;
  readonly log: ReceiverLogger;
}

/** This package's version. */
export const version: string = readVersion();

/** Makes a receiver to embed or to test; it starts nothing before {@link Receiver.start}. */
export function createReceiver(config: ReceiverConfig): Receiver {
  const log = createLogger(config.logLevel, "http");
  let running: Promise<RunningReceiver> | undefined;
  let stopping: Promise<void> | undefined;
  let fail: (reason: ReceiverError) => void = () => undefined;
  const failed = new Promise<ReceiverError>((resolve) => {
    fail = resolve;
  });

  const stop = async (): Promise<void> => {
    // A start that failed has cleaned up behind itself.
    const receiver = await running?.catch(() => undefined);
    await receiver?.stop();
  };

  return {
    log,
    failed,
    async start() {
      running ??= run({ config, log, fail });
      return (await running).address;
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

interface RunningReceiver {
  readonly address: string;
  stop(): Promise<void>;
}

interface RunOptions {
  readonly config: ReceiverConfig;
  readonly log: ReceiverLogger;
  readonly fail: (reason: ReceiverError) => void;
}

async function run(options: RunOptions): Promise<RunningReceiver> {
  const { config, log, fail } = options;
  const tls = readTlsFiles(config);
  const metrics = createMetrics({ isProcessIncluded: true });
  metrics.metrics.buildInfo.set({ version, node: process.versions.node }, 1);
  let tellStorage: (overrides: Overrides) => void = () => undefined;
  const overrides = await openOverrides(config, {
    log,
    metrics,
    onChange: (changed) => tellStorage(changed),
  });
  const storage = startStorage({
    directory: config.storagePath,
    retention: {
      retentionMs: config.retentionMs,
      levelMs: config.retentionLevels,
      spanMs: config.exemplarsRetentionMs,
      maxBytes: config.storageMaxBytes,
      maxTenantBytes: config.tenantStorageMaxBytes,
      rollUpLevels: config.rollUpLevels,
      maxNodes: config.maxNodesSerialization,
    },
    bucket: toBucketPlace(config.bucket),
    shared: toSharedPlace(config.bucket),
    clickhouse: toClickHousePlace(config.engine, toBucketPlace(config.bucket)),
    queryLimits: config.queryLimits,
    provisionedRules: listProvisionedRules(config, overrides?.overrides),
    logLevel: config.logLevel,
  });
  void storage.died.then(fail);
  tellStorage = (changed) => {
    const retentions = Array.from(changed, ([tenant, { retention }]) => [tenant, retention] as const);
    // A storage thread that is gone has stopped the process.
    storage.service.setRetention(new Map(retentions)).catch(() => undefined);
    storage.service.provisionRules(listProvisionedRules(config, changed)).catch(() => undefined);
  };
  if (overrides !== undefined) tellStorage(overrides.overrides);
  try {
    // A directory that another process holds is a reason not to listen.
    await storage.service.opened();
    return await serve(options, { storage, tls, metrics, overrides });
  } catch (error) {
    overrides?.stop();
    // Where the store could not be opened there is nothing to close, and `error` says why.
    await endStorage(storage).catch(() => undefined);
    throw error;
  }
}

/** What requests are served with. */
interface ServingParts {
  readonly storage: StorageClient;
  readonly tls: TlsFiles | undefined;
  readonly metrics: ReceiverMetrics;
  readonly overrides: OverridesFile | undefined;
}

async function serve(
  { config, log, fail }: RunOptions,
  { storage, tls, metrics, overrides }: ServingParts,
): Promise<RunningReceiver> {
  const readiness = createReadiness({ storage: storage.service, clock: systemClock });
  const forwarder = openForwarder(config, { log, metrics });
  const app = await createApp({
    config,
    ...(forwarder === undefined ? {} : { forwarder }),
    limits: createTenantLimits(config, () => overrides?.overrides),
    storage: storage.service,
    readiness,
    metrics,
    log,
    clock: systemClock,
    buildInfo: { version, nodeVersion: process.versions.node },
    uiDirectory: findUi(),
    serverFactory: (handler) => createOnePortServer(handler, { ...config, tls }),
  });
  const address = await listen(app, config.bindAddress, tls !== undefined);
  void storage.service.ready().then(() => log.info("ready"), fail);

  return {
    address,
    async stop() {
      readiness.stop();
      overrides?.stop();
      const late = systemClock.setTimer(() => app.server.closeAllConnections(), config.shutdownTimeoutMs);
      await app.close();
      late.cancel();
      await forwarder?.stop(config.shutdownTimeoutMs);
      await endStorage(storage);
    },
  };
}

function openForwarder(
  config: ReceiverConfig,
  { log, metrics }: { readonly log: ReceiverLogger; readonly metrics: ReceiverMetrics },
): Forwarder | undefined {
  const { forwardTo: target, forwardAuthorization: authorization } = config;
  if (target === undefined) return undefined;
  return createForwarder({
    send: createSendPush({ target, authorization, isTenantSent: config.isMultitenancyEnabled }),
    maxWaitingBytes: config.forwardQueueBytes,
    clock: systemClock,
    metrics: metrics.metrics,
    log,
  });
}

type Overrides = OverridesFile["overrides"];

interface OverridesTargets {
  readonly log: ReceiverLogger;
  readonly metrics: ReceiverMetrics;
  readonly onChange: (overrides: Overrides) => void;
}

/** Follows the file of overrides, if there is one. Limits are asked for; what is the storage's business, it is told. */
async function openOverrides(
  config: ReceiverConfig,
  { log, metrics, onChange }: OverridesTargets,
): Promise<OverridesFile | undefined> {
  metrics.metrics.runtimeConfigLoaded.set(1);
  if (config.runtimeConfigFile === undefined) return undefined;
  return await openOverridesFile({
    path: config.runtimeConfigFile,
    reloadPeriodMs: config.runtimeConfigReloadMs,
    readFile: (place) => readOverrides(place),
    clock: systemClock,
    onLoad: (outcome) => {
      metrics.metrics.runtimeConfigLoaded.set(outcome.ok ? 1 : 0);
      if (!outcome.ok) {
        log.error({ err: outcome.error }, "the file of overrides cannot be used; what was in force stays");
        return;
      }
      log.info({ tenantCount: outcome.overrides.size }, "overrides");
      onChange(outcome.overrides);
    },
  });
}

/** DuckDB takes the process down when its thread ends under it: the thread is ended only when it has nothing to do. */
async function endStorage({ service, terminate }: StorageClient): Promise<void> {
  try {
    await service.close();
  } finally {
    await terminate();
  }
}

/** The web UI is built beside the compiled server, also when this file runs from its source. */
function findUi(): string {
  const path = import.meta.url.endsWith(".ts") ? "../dist/ui/" : "./ui/";
  return fileURLToPath(new URL(path, import.meta.url));
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const isNamed = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isNamed ? String(manifest.version) : "unknown";
}
