import type { FastifyInstance, InjectOptions } from "fastify";
import { type AppServices, createApp } from "../app.ts";
import type { LimitOverrides } from "../config/overrides.ts";
import { createTenantLimits } from "../config/tenant-limits.ts";
import { resolveConfig } from "../config.ts";
import type { RouteRow } from "../http/routes.ts";
import type { PushBatch } from "../ingest/push-service.ts";
import type { Readiness } from "../readiness.ts";
import { createLogger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { StorageService } from "../worker/storage-service.ts";

/** Tokens of a test: `--auth-token`. */
export const TOKENS = "push=push-token,read=read-token,admin=admin-token";

/** A server that is only asked through `inject`, and what its storage was told. */
export interface TestApp {
  readonly app: FastifyInstance;
  readonly pushed: readonly PushBatch[];
  readonly asked: readonly { readonly method: string; readonly request: unknown }[];
  readonly logLines: readonly string[];
}

/** What differs from a server with default settings whose storage takes everything. */
export interface TestOptions {
  readonly flags?: Readonly<Record<string, string>>;
  readonly readiness?: Partial<Readiness>;
  readonly storage?: Partial<StorageService>;
  readonly uiDirectory?: string;
  /** What listens; absent: Fastify's own, which speaks HTTP/1.1. */
  readonly serverFactory?: AppServices["serverFactory"];
  /** Limits by tenant. */
  readonly overrides?: ReadonlyMap<string, LimitOverrides>;
}

/** Makes the server over a storage that keeps nothing. */
export async function createTestApp(options: TestOptions = {}): Promise<TestApp> {
  const pushed: PushBatch[] = [];
  const asked: { method: string; request: unknown }[] = [];
  const logLines: string[] = [];
  const answer =
    (method: string, value: unknown) =>
    async (request: unknown): Promise<unknown> => {
      asked.push({ method, request });
      return { value, missingBlocks: [], resolution: "raw" };
    };
  const storage = {
    push: async (batch: PushBatch) => {
      pushed.push(batch);
      return batch.items.map(() => ({ ok: true, profiles: 1 }) as const);
    },
    profileTypes: answer("profileTypes", []),
    labelNames: answer("labelNames", ["service_name"]),
    labelValues: answer("labelValues", []),
    series: answer("series", []),
    deleteApplication: async (request: unknown) => {
      asked.push({ method: "deleteApplication", request });
      return { blockCount: 2, quarantinedBlockCount: 1 };
    },
    recorded: async () => ({ series: [], failureCount: 0 }),
    ...options.storage,
  } as unknown as StorageService;
  const readiness: Readiness = {
    reasons: [],
    storage: undefined,
    stop: () => undefined,
    checkServing: () => undefined,
    ...options.readiness,
  };
  const config = resolveConfig({ flags: options.flags ?? {} });
  const app = await createApp({
    config,
    limits: createTenantLimits(config, () => options.overrides),
    storage,
    readiness,
    metrics: createMetrics({ isProcessIncluded: false }),
    log: createLogger("debug", "http", { write: (line) => logLines.push(line) }),
    clock: {
      nowUnixMillis: () => 1_700_000_000_000,
      monotonicMillis: () => 0,
      setTimer: () => ({ cancel: () => undefined }),
    },
    buildInfo: { version: "1.2.3", nodeVersion: "24.0.0" },
    uiDirectory: options.uiDirectory ?? "/nonexistent",
    ...(options.serverFactory === undefined ? {} : { serverFactory: options.serverFactory }),
  });
  return { app, pushed, asked, logLines };
}

/** A request that the route takes, as far as access is concerned. */
export function toRequest(
  { path, method, kind }: RouteRow,
  headers: Record<string, string> = {},
): InjectOptions {
  const url = path.replace("*", "file.js");
  const type = kind === "connect" ? { "content-type": "application/json" } : {};
  return { method, url, headers: { ...type, ...headers }, ...(kind === "connect" ? { payload: "{}" } : {}) };
}
