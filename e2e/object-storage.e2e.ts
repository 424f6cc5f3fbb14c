import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { blockKeys } from "../packages/receiver/src/store/block-keys.ts";
import { nodeFs } from "../packages/receiver/src/store/node-fs.ts";
import { listBlockPaths } from "../packages/receiver/src/store/quarantine.ts";
import { S3Blobs, type S3Options } from "../packages/receiver/src/store/s3-blobs.ts";
import { blobsContract } from "../packages/receiver/src/store/testing/blobs-contract.ts";
import { plainAdmission } from "../packages/receiver/src/store/testing/plain-profile.ts";
import { StoreDirectory } from "../packages/receiver/src/store/testing/store-directory.ts";
import { bucketFlags, type Ceph, hasCeph, startCeph } from "./harness/ceph.ts";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { type FaultProxy, startFaultProxy } from "./harness/fault-proxy.ts";
import {
  makeDataDirectory,
  type ReceiverProcess,
  runReceiver,
  startReadyReceiver,
  startReceiver,
} from "./harness/receiver-process.ts";

const TYPE = "process_cpu:samples:count::{}";
const ALL = { from: "19710101", until: "20990101" };
const FILES_OF_BLOCK = 6;

describe.skipIf(!hasCeph)("a bucket of Ceph", { timeout: 120_000 }, () => {
  let ceph: Ceph;
  let proxy: FaultProxy;
  const cleanUps: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    ceph = await startCeph();
    proxy = await startFaultProxy(ceph.endpoint);
  }, 240_000);
  afterEach(async () => {
    proxy.fault = { kind: "none" };
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  afterAll(async () => {
    await proxy?.stop();
    await ceph?.stop();
  }, 60_000);

  describe("S3Blobs", () => {
    let options: S3Options;
    let directory: string;
    beforeAll(async () => {
      options = { ...(await ceph.bucket("contract", proxy.address)), prefix: "some/where/" };
      directory = await mkdtemp(join(tmpdir(), "pyroscope-blobs-"));
    });
    afterAll(() => rm(directory, { recursive: true, force: true }));

    it.for(Object.entries(blobsContract))("%s", async ([, check]) => {
      const blobs = await S3Blobs.create(nodeFs, options);
      await check({ blobs, directory });
      blobs.close();
    });

    it("pages through more keys than one answer holds, and takes no wrong secret", async () => {
      const blobs = await S3Blobs.create(nodeFs, options);
      const upload = (i: number): Promise<void> => blobs.upload(join(scriptsOf(), "down.sh"), `paged/${i}`);
      for (let from = 0; from < 1030; from += 20) {
        await Promise.all(Array.from({ length: Math.min(20, 1030 - from) }, (_, i) => upload(from + i)));
      }
      expect(await blobs.list("paged/")).toHaveLength(1030);
      blobs.close();

      const credentials = { accessKeyId: "AKTEST", secretAccessKey: "wrong" };
      const stranger = await S3Blobs.create(nodeFs, { ...options, credentials });
      await expect(stranger.list("")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      await expect(stranger.list("")).rejects.toThrow("403");
      stranger.close();
    });

    it.for([
      { kind: "down" },
      { kind: "status", status: 500 },
      { kind: "status", status: 403 },
      { kind: "truncated" },
      { kind: "unanswered" },
    ] as const)("says of $kind $status that the bucket is unavailable", async (fault) => {
      const blobs = await S3Blobs.create(nodeFs, options);
      await blobs.upload(join(scriptsOf(), "up.sh"), `faults/${JSON.stringify(fault)}`);
      proxy.fault = fault;

      const reading = blobs.read(`faults/${JSON.stringify(fault)}`);

      await expect(reading).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      blobs.close();
    });
  });

  async function start(
    options: S3Options,
    flags: readonly string[] = [],
    path?: string,
  ): Promise<{ receiver: ReceiverProcess; client: ReceiverClient; path: string }> {
    let directory = path;
    if (directory === undefined) {
      const made = await makeDataDirectory();
      cleanUps.push(made.remove);
      directory = made.path;
    }
    const receiver = await startReadyReceiver({
      directory,
      flags: ["--log-level", "error", ...bucketFlags(options), ...flags],
    });
    cleanUps.push(() => receiver.stop("SIGKILL"));
    return { receiver, client: createReceiverClient(receiver.address), path: directory };
  }

  it("answers from an empty disk what a lost machine had flushed, with the same bytes in the bucket", async () => {
    const options = await ceph.bucket("embedded", proxy.address);
    const first = await start(options);
    for (let i = 0; i < 5; i++) await push(first.client, i);
    // Stopping flushes, and ships what was flushed.
    await first.receiver.stop();

    const blobs = await S3Blobs.create(nodeFs, options);
    const keys = await blobs.list("blocks/");
    expect(keys).toHaveLength(FILES_OF_BLOCK);
    for (const key of keys) {
      const [here, there] = [await readFile(join(first.path, key)), await blobs.read(key)];
      expect(there?.equals(here)).toBe(true);
    }
    blobs.close();
    const second = await start(options);

    expect(await second.client.renderTotal(TYPE, ALL)).toBe(5n);
  });

  it("is asked in SQL and verified by the command line, which lists exactly the damaged objects", async () => {
    const options = await ceph.bucket("commands", proxy.address);
    const blobs = await S3Blobs.create(nodeFs, options);
    const data = await StoreDirectory.create();
    cleanUps.push(() => data.remove());
    const store = await data.open();
    for (let i = 0; i < 3; i++) {
      const samples = [{ stack: ["main", `work_${i}`], value: 1 }];
      await store.append(
        plainAdmission("anonymous", [{ service: "shop", timeUnixMillis: 1000 * i, samples }]),
      );
      await store.flush();
    }
    await store.close();
    for (const path of await listBlockPaths(nodeFs, join(data.path, "blocks"))) {
      for (const key of blockKeys(path)) await blobs.upload(join(data.path, key), key);
    }
    const metas = (await blobs.list("blocks/")).filter((key) => key.endsWith("/meta.json"));
    const command = async (...args: readonly string[]): Promise<{ code: number | null; stdout: string }> => {
      const { code, stdout, stderr } = await runReceiver(["store", ...args, ...bucketFlags(options)]).result;
      expect(stderr).not.toContain("SKTEST");
      return { code, stdout };
    };
    expect(metas).toHaveLength(3);
    expect(await command("verify")).toEqual({ code: 0, stdout: "3 blocks, 0 objects damaged\n" });
    const sum = 'SELECT sum("value")::BIGINT AS sum, count(DISTINCT path) AS paths FROM samples';
    expect(await command("sql", "--format", "csv", sum)).toEqual({ code: 0, stdout: "sum,paths\n3,3\n" });

    const [first = "", second = "", third = ""] = metas.map((key) => key.slice(0, -"meta.json".length));
    await replace(options, `${first}totals.parquet`, (bytes) => bytes.subarray(0, 30));
    await replace(options, `${first}symdb/frames.parquet`, (bytes) => Buffer.from(bytes).fill(1, 20, 21));
    await replace(options, `${second}meta.json`, () => Buffer.from("{}"));
    await blobs.remove([`${third}profiles.parquet`]);
    blobs.close();

    const { code, stdout } = await command("verify");
    expect(code).toBe(1);
    expect(stdout.split("\n").map((line) => line.slice(0, line.indexOf(": ") + 1))).toEqual([
      `${first}symdb/frames.parquet:`,
      `${first}totals.parquet:`,
      `${second}meta.json:`,
      `${third}profiles.parquet:`,
      "",
      "",
    ]);
    expect(stdout).toContain("2 blocks, 4 objects damaged");
    const stranger = [...bucketFlags(options), "--storage.s3.secret-access-key", "wrong-secret"];
    const refused = await runReceiver(["store", "verify", ...stranger]).result;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("403");
    expect(refused.stderr).not.toContain("wrong-secret");
  });

  it("takes pushes while the bucket is away, up to its room, and ships every block once when it is back", async () => {
    const options = await ceph.bucket("faults", proxy.address);
    let { receiver, client, path } = await start(options);
    const faults = [
      { kind: "down" },
      { kind: "status", status: 500 },
      { kind: "unanswered" },
      { kind: "status", status: 403 },
    ] as const;
    for (const [i, fault] of faults.entries()) {
      proxy.fault = fault;
      expect((await push(client, i)).status).toBe(200);
      expect(await client.renderTotal(TYPE, ALL)).toBe(BigInt(i + 1));
      // Stopping flushes: a block more that waits.
      await receiver.stop();
      ({ receiver, client, path } = await start(options, [], path));
    }
    await receiver.stop();
    receiver = await startReceiver({
      directory: path,
      flags: ["--log-level", "error", ...bucketFlags(options), "--storage.local-limit-mb", "0.01"],
    });
    client = createReceiverClient(receiver.address);
    await vi.waitFor(async () => expect(await unshipped(client)).toBe(4), { timeout: 20_000, interval: 100 });

    const refusal = await push(client, faults.length);
    expect(refusal.status).toBe(503);
    expect(Number(refusal.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await client.renderTotal(TYPE, ALL)).toBe(4n);

    proxy.fault = { kind: "none" };
    await vi.waitFor(async () => expect(await unshipped(client)).toBe(0), { timeout: 60_000, interval: 200 });

    expect((await push(client, faults.length)).status).toBe(200);
    expect(await client.renderTotal(TYPE, ALL)).toBe(5n);
    const puts = proxy.requests.filter(
      ({ line }) => line.startsWith("PUT ") && line.includes("/faults/blocks/"),
    );
    const created = puts.filter(({ status }) => status === 200).map(({ line }) => line);
    // 412: it had arrived, and its answer had not.
    expect(puts.filter(({ status }) => status !== 200 && status !== 412)).toEqual([]);
    expect(new Set(created).size).toBe(created.length);
    expect(created).toHaveLength(faults.length * FILES_OF_BLOCK);
    await receiver.stop();
    const fresh = await start(options);
    expect(await fresh.client.renderTotal(TYPE, ALL)).toBe(5n);
  });

  it("waits for a slow bucket, and answers 503 while what it needs arrives in part", async () => {
    const options = await ceph.bucket("slow", proxy.address);
    const first = await start(options);
    await push(first.client, 1);
    proxy.fault = { kind: "slow", delayMs: 500 };
    await first.receiver.stop();
    proxy.fault = { kind: "none" };
    // Answers that are kept would do without the bucket.
    const second = await start(options, ["--storage.local-limit-mb", "0", "--query-cache-mb", "0"]);
    expect(await second.client.renderTotal(TYPE, ALL)).toBe(1n);

    for (const kind of ["truncated", "down"] as const) {
      proxy.fault = { kind };
      await expect(second.client.renderTotal(TYPE, ALL)).rejects.toThrow("503");
    }

    proxy.fault = { kind: "slow", delayMs: 500 };
    expect(await second.client.renderTotal(TYPE, ALL)).toBe(1n);
  });
});

/** Puts other bytes where an object is. */
async function replace(
  options: S3Options,
  key: string,
  change: (bytes: Buffer) => Uint8Array,
): Promise<void> {
  const blobs = await S3Blobs.create(nodeFs, options);
  const bytes = change((await blobs.read(key)) ?? Buffer.alloc(0));
  await blobs.remove([key]);
  const directory = await mkdtemp(join(tmpdir(), "pyroscope-replaced-"));
  await writeFile(join(directory, "object"), bytes);
  await blobs.upload(join(directory, "object"), key);
  await rm(directory, { recursive: true });
  blobs.close();
}

function scriptsOf(): string {
  return join(import.meta.dirname, "../scripts/ceph");
}

async function push({ baseUrl }: ReceiverClient, i: number): Promise<Response> {
  const profile = profileFromText(`main\nwork_${i}`, { timeUnixNanos: BigInt(Date.now()) * 1_000_000n });
  const rawProfile = Buffer.from(encodePprof(profile)).toString("base64");
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: "shop" },
  ];
  return await fetch(`${baseUrl}/push.v1.PusherService/Push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ series: [{ labels, samples: [{ rawProfile }] }] }),
  });
}

/** What `/metrics` says: once a second it knows anew. */
async function unshipped({ baseUrl }: ReceiverClient): Promise<number> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  return Number(/^pyroscope_storage_unshipped_blocks (\d+)$/m.exec(text)?.[1]);
}
