import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_QUERY_LIMITS } from "../query/query-service.ts";
import { type StorageClient, startStorage } from "./storage-client.ts";
import type { StorageOptions } from "./storage-options.ts";

let directory: string;
const clients: StorageClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "receiver-storage-"));
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.terminate()));
  await rm(directory, { recursive: true });
});

function start(code?: string): StorageClient {
  const options: StorageOptions = {
    directory,
    retention: {
      ...{ retentionMs: 0, levelMs: {}, spanMs: 0, maxBytes: 0, maxTenantBytes: 0 },
      ...{ rollUpLevels: [], maxNodes: 0 },
    },
    bucket: undefined,
    shared: undefined,
    clickhouse: undefined,
    queryLimits: DEFAULT_QUERY_LIMITS,
    provisionedRules: { ofAll: [], ofTenants: new Map() },
    logLevel: "error",
  };
  const entry = code === undefined ? undefined : new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const client = startStorage(options, entry);
  clients.push(client);
  return client;
}

describe("startStorage", () => {
  it("opens the data directory in a thread of its own and answers from it", async () => {
    const { service } = start();

    await service.opened();
    await service.ready();

    expect(await service.status()).toMatchObject({ blockCount: 0, takesWrites: true });
    expect(await service.profileStats({ tenant: "a" })).toEqual({
      dataIngested: false,
      oldestUnixMillis: 0,
      newestUnixMillis: 0,
    });
    await service.close();
  });

  it.for([
    ["throws", "throw new Error('out of luck')", "out of luck"],
    ["exits", "process.exit(3)", "exit code 3"],
  ] as const)("says so when the thread %s, and rejects what was asked", async ([, code, reason]) => {
    const client = start(code);

    const call = client.service.status().catch((error: unknown) => error);

    expect(await client.died).toMatchObject({ code: "INTERNAL", cause: { message: reason } });
    expect(await call).toMatchObject({ message: "the storage thread ended" });
  });

  it("does not call an end that was asked for a death", async () => {
    const client = start("setInterval(() => undefined, 1000)");

    await client.terminate();

    const state = await Promise.race([client.died, new Promise((resolve) => setImmediate(resolve, "alive"))]);
    expect(state).toBe("alive");
    await expect(client.service.status()).rejects.toMatchObject({ message: "the storage thread ended" });
  });
});
