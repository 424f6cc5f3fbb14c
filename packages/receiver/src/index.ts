import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { createApp } from "./app.ts";
import { systemClock } from "./clock.ts";
import type { ReceiverConfig } from "./config.ts";
import { ReceiverError } from "./errors.ts";
import { createOnePortServer } from "./http/one-port-server.ts";
import { listen } from "./listen.ts";
import { createReadiness } from "./readiness.ts";
import { createLogger, type ReceiverLogger } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { startStorage } from "./worker/storage-client.ts";

export type { LogLevel, ReceiverConfig, ServerConfig } from "./config.ts";
export { resolveConfig } from "./config.ts";
export type { ReceiverErrorCode } from "./errors.ts";
export { ReceiverError } from "./errors.ts";

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
  let fail: (reason: ReceiverError) => void;
  const failed = new Promise<ReceiverError>((resolve) => {
    fail = resolve;
  });

  const stop = async (): Promise<void> => {
    const receiver = await running?.catch(() => undefined);
    await receiver?.stop();
  };

  return {
    log,
    failed,
    async start() {
      running ??= run(config, log, (reason) => fail(reason));
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

async function run(
  config: ReceiverConfig,
  log: ReceiverLogger,
  fail: (reason: ReceiverError) => void,
): Promise<RunningReceiver> {
  const tls = readTls(config);
  const storage = startStorage({
    directory: config.storagePath,
    retentionMs: config.retentionMs,
    queryLimits: config.queryLimits,
    logLevel: config.logLevel,
  });
  void storage.died.then(fail);
  try {
    // A directory that another process holds is a reason not to listen.
    await storage.service.opened();
    const readiness = createReadiness({ storage: storage.service, clock: systemClock });
    const metrics = createMetrics({ isProcessIncluded: true });
    metrics.metrics.buildInfo.set({ version, node: process.versions.node }, 1);
    const app = await createApp({
      config,
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

    const stop = async (): Promise<void> => {
      readiness.stop();
      const late = systemClock.setTimer(() => app.server.closeAllConnections(), config.shutdownTimeoutMs);
      await app.close();
      late.cancel();
      await storage.service.close();
      await storage.terminate();
    };
    return { address, stop };
  } catch (error) {
    await storage.terminate();
    throw error;
  }
}

function readTls(config: ReceiverConfig): { readonly certificate: string; readonly key: string } | undefined {
  const { tlsCertificateFile, tlsKeyFile } = config;
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return undefined;
  const certificate = readSettingFile("--tls-certificate-file", tlsCertificateFile);
  const key = readSettingFile("--tls-key-file", tlsKeyFile);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const files = `--tls-certificate-file=${tlsCertificateFile} and --tls-key-file=${tlsKeyFile}`;
    throw new ReceiverError(`${files}: expected a PEM certificate and its key`, {
      code: "CONFIG_INVALID",
      cause: error,
    });
  }
  return { certificate, key };
}

function readSettingFile(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ReceiverError(`${flag}=${path}: the file cannot be read`, {
      code: "CONFIG_INVALID",
      cause: error,
    });
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
