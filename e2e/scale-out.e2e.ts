import { setTimeout as sleep } from "node:timers/promises";
import { encodePprof, type Profile } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { nodeFs } from "../packages/receiver/src/store/node-fs.ts";
import { S3Blobs, type S3Options } from "../packages/receiver/src/store/s3-blobs.ts";
import { collectGarbage } from "../packages/receiver/src/store/shared/collect-garbage.ts";
import { Postgres } from "../packages/receiver/src/store/shared/postgres.ts";
import { bucketFlags, type Ceph, hasCeph, startCeph } from "./harness/ceph.ts";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { readSamples } from "./harness/fake-receiver.ts";
import { type FaultProxy, startFaultProxy } from "./harness/fault-proxy.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "./harness/postgres.ts";
import { makeDataDirectory, type ReceiverProcess, startReceiver } from "./harness/receiver-process.ts";

const WRITERS = 64;
const KILL_SECONDS = Number(process.env.PYROSCOPE_KILL_SECONDS ?? 60);
const TYPE = "process_cpu:samples:count::{}";
const ALL = { from: "19710101", until: "20990101" };

/** One part of a deployment that is started again whenever it ends, as an orchestrator does. */
class Part {
  readonly #flags: readonly string[];
  #receiver: ReceiverProcess | undefined;
  #directory: Awaited<ReturnType<typeof makeDataDirectory>> | undefined;
  #isStopped = false;
  readonly #starting: Promise<void>;

  constructor(flags: readonly string[]) {
    this.#flags = flags;
    this.#starting = this.#run();
  }

  /** undefined while it is not up. */
  get address(): string | undefined {
    return this.#receiver?.address;
  }

  async up(): Promise<string> {
    await vi.waitFor(
      async () => {
        const { status } = await fetch(`${this.address}/ready`);
        expect(status).toBe(200);
      },
      // Several processes start at once, on a machine with other work.
      { timeout: 180_000, interval: 50 },
    );
    return this.address ?? "";
  }

  kill(): void {
    this.#receiver?.process.kill("SIGKILL");
    this.#receiver = undefined;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.kill();
    await this.#starting;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // An empty disk each time: nothing that a process keeps is needed by the next.
      this.#directory = await makeDataDirectory();
      const flags = ["--log-level", "error", ...this.#flags];
      const receiver = await startReceiver({ directory: this.#directory.path, flags }).catch(() => undefined);
      this.#receiver = receiver;
      if (this.#isStopped) this.kill();
      await receiver?.result;
      await this.#directory.remove();
    }
  }
}

/** What writers pushed through whichever writer was up. */
class Ledger {
  readonly acknowledged = new Set<string>();
  /** A test that runs again finds what it stored before. */
  readonly #run = Date.now().toString(36);
  #count = 0;

  async write(writer: number, addresses: () => readonly string[], until: () => boolean): Promise<void> {
    while (!until()) {
      const name = `run_${this.#run}_writer_${writer}_push_${this.#count++}`;
      const profile = profileFromText(`main\n${name}`, { timeUnixNanos: BigInt(Date.now()) * 1_000_000n });
      const payload = Buffer.from(encodePprof(profile));
      // The same bytes again, maybe to another process, until somebody acknowledges them.
      while (!until()) {
        const up = addresses();
        const address = up[Math.floor(Math.random() * up.length)];
        const status = address === undefined ? 0 : await push(address, `writer-${writer}`, payload);
        if (status === 200) {
          this.acknowledged.add(name);
          break;
        }
        await sleep(50);
      }
    }
  }
}

async function push(address: string, service: string, payload: Buffer): Promise<number> {
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: service },
  ];
  const body = JSON.stringify({
    series: [{ labels, samples: [{ rawProfile: payload.toString("base64") }] }],
  });
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(`${address}/push.v1.PusherService/Push`, { method: "POST", headers, body });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** How often each function was stored. */
function countByLeaf(profile: Profile): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { frames, value } of readSamples(profile)) {
    const leaf = frames[0]?.name ?? "";
    counts.set(leaf, (counts.get(leaf) ?? 0) + value);
  }
  return counts;
}

describe.skipIf(!hasCeph || !hasPostgres)(
  "a deployment over Ceph and PostgreSQL",
  { timeout: 600_000 },
  () => {
    let ceph: Ceph;
    let proxy: FaultProxy;
    let postgres: PostgresServer;
    let bucket: S3Options;
    const parts: Part[] = [];
    beforeAll(async () => {
      // One after the other: what was started is ended when the next one does not start.
      postgres = await startPostgres();
      ceph = await startCeph();
      proxy = await startFaultProxy(ceph.endpoint);
      bucket = await ceph.bucket("shared", proxy.address);
    }, 240_000);
    afterEach(async () => {
      proxy.fault = { kind: "none" };
      await Promise.all(parts.splice(0).map((part) => part.stop()));
    });
    afterAll(async () => {
      await proxy?.stop();
      await postgres?.stop();
      await ceph?.stop();
    }, 60_000);

    function start(target: string): Part {
      const flags = [...bucketFlags(bucket), "--catalog.postgres-url", postgres.url, "--target", target];
      const part = new Part(flags);
      parts.push(part);
      return part;
    }

    it(`has every acknowledged profile once after ${KILL_SECONDS} s of kills, whoever is asked`, async () => {
      const writers = [start("distributor"), start("write")];
      const readers = [start("querier"), start("read")];
      const compactors = [start("compactor"), start("compact")];
      await Promise.all([...writers, ...readers, ...compactors].map((part) => part.up()));
      const ledger = new Ledger();
      let isOver = false;
      const addresses = (): readonly string[] =>
        writers.map(({ address }) => address).filter((up) => up !== undefined);
      const writing = Array.from({ length: WRITERS }, (_, writer) =>
        ledger.write(writer, addresses, () => isOver),
      );
      const end = Date.now() + KILL_SECONDS * 1000;
      let kills = 0;
      while (Date.now() < end) {
        await sleep(2000 + Math.random() * 3000);
        parts[Math.floor(Math.random() * parts.length)]?.kill();
        kills++;
      }
      isOver = true;
      await Promise.all(writing);

      const clients = await Promise.all(
        readers.map(async (reader) => createReceiverClient(await reader.up())),
      );
      const ask = (): Promise<readonly ReadonlyMap<string, number>[]> =>
        Promise.all(clients.map(async (client) => countByLeaf(await client.renderPprof(TYPE, ALL))));
      const [counts = new Map<string, number>(), other] = await ask();
      expect(other).toEqual(counts);
      const lost = [...ledger.acknowledged].filter((name) => !counts.has(name));
      const repeated = [...counts].filter(([, count]) => count !== 1);
      expect({ lost, repeated }).toEqual({ lost: [], repeated: [] });
      // Whatever was left of segments is merged by and by: answers stay what they are.
      const blobs = await S3Blobs.create(nodeFs, bucket);
      await vi.waitFor(async () => expect(await blobs.list("blocks/")).not.toEqual([]), {
        // Of what a dead compactor has, the lease is waited for: a minute.
        timeout: 240_000,
        interval: 500,
      });
      blobs.close();
      expect(await ask()).toEqual([counts, counts]);
      expect(kills).toBeGreaterThan(5);
      expect(ledger.acknowledged.size).toBeGreaterThan(WRITERS);
      process.stdout.write(
        `scale-out: ${kills} kills, ${ledger.acknowledged.size} acknowledged, ${counts.size} stored\n`,
      );
    });

    it("answers 503 while PostgreSQL or the bucket is away, and recovers by itself", async () => {
      const [writer, reader] = [start("write"), start("read")];
      const address = await writer.up();
      const client: ReceiverClient = createReceiverClient(await reader.up());
      const total = (): Promise<bigint> =>
        client.renderTotal('process_cpu:samples:count::{service_name="writer-99"}', ALL);
      let count = 0;
      const pushOne = async (): Promise<Response> => {
        const payload = encodePprof(
          profileFromText(`main\nmore_${count}`, { timeUnixNanos: BigInt(Date.now()) * 1_000_000n }),
        );
        return await fetch(`${address}/push.v1.PusherService/Push`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            series: [
              {
                labels: [
                  { name: "__name__", value: "process_cpu" },
                  { name: "service_name", value: "writer-99" },
                ],
                samples: [{ rawProfile: Buffer.from(payload).toString("base64") }],
              },
            ],
          }),
        });
      };
      const takes = async (): Promise<void> => {
        await vi.waitFor(async () => expect((await pushOne()).status).toBe(200), {
          timeout: 30_000,
          interval: 200,
        });
        count++;
        // Acknowledged is answered, by whoever is asked.
        expect(await total()).toBe(BigInt(count));
      };
      await takes();

      proxy.fault = { kind: "down" };
      const refusal = await pushOne();
      expect(refusal.status).toBe(503);
      expect(Number(refusal.headers.get("retry-after"))).toBeGreaterThan(0);
      proxy.fault = { kind: "status", status: 500 };
      expect((await pushOne()).status).toBe(503);
      // What was read lately is in the reader's cache.
      expect(await total()).toBe(BigInt(count));
      proxy.fault = { kind: "none" };
      await takes();

      await postgres.kill();
      expect((await pushOne()).status).toBe(503);
      await expect(total()).rejects.toThrow("503");
      await postgres.start();
      await takes();
    });

    it("takes a deleted application from every reader at once, and from every object, although a compactor dies", async () => {
      const [writer, first, second] = [start("write"), start("read"), start("read")];
      const compactor = start("compact");
      const [address, asked, other] = await Promise.all([writer.up(), first.up(), second.up()]);
      const isPushed = async (name: string, leaf: string): Promise<void> => {
        const profile = profileFromText(`main\n${leaf}`, { timeUnixNanos: BigInt(Date.now()) * 1_000_000n });
        await vi.waitFor(
          async () => expect(await push(address, name, Buffer.from(encodePprof(profile)))).toBe(200),
          { timeout: 30_000, interval: 200 },
        );
      };
      await isPushed("zebra-quokka", "computeXylophoneFingerprint");
      await isPushed("kept", "work");
      const totals = async (name: string): Promise<readonly bigint[]> => {
        const query = `process_cpu:samples:count::{service_name="${name}"}`;
        const clients = [asked, other].map(createReceiverClient);
        return await Promise.all(clients.map((client) => client.renderTotal(query, ALL)));
      };
      expect(await totals("zebra-quokka")).toEqual([1n, 1n]);

      const response = await fetch(`${asked}/api/v1/applications/delete`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "zebra-quokka" }),
      });

      expect(response.status, await response.clone().text()).toBe(200);
      expect(await response.json()).toMatchObject({ name: "zebra-quokka", quarantinedBlocks: 0 });
      expect(await totals("zebra-quokka")).toEqual([0n, 0n]);
      compactor.kill();
      const admin = await Postgres.create(postgres.url);
      const blobs = await S3Blobs.create(nodeFs, bucket);
      try {
        // The minute that a lease of the dead one lasts.
        await admin.query("UPDATE pyroscope_blocks SET lease_until = now() WHERE lease_until IS NOT NULL");
        const pending = "SELECT id FROM pyroscope_blocks WHERE needs_rewrite AND deleted_at IS NULL";
        await vi.waitFor(async () => expect(await admin.query(pending)).toEqual([]), {
          timeout: 240_000,
          interval: 500,
        });
        // Objects of replaced blocks stay for queries that began before, and those of a dead compactor until they are known to be.
        await admin.query(
          "UPDATE pyroscope_blocks SET deleted_at = now() - interval '1 hour' WHERE deleted_at IS NOT NULL",
        );
        await collectGarbage(admin, blobs);
        await admin.query("UPDATE pyroscope_strays SET seen_at = now() - interval '7 hours'");
        await collectGarbage(admin, blobs);
        const found: string[] = [];
        for (const key of await blobs.list("")) {
          const bytes = await blobs.read(key);
          for (const text of ["zebra-quokka", "computeXylophoneFingerprint"])
            if (bytes?.includes(text) === true) found.push(`${text} in ${key}`);
        }
        expect(found).toEqual([]);
      } finally {
        await admin.close();
        blobs.close();
      }
      expect(await totals("kept")).toEqual([1n, 1n]);
    });

    it("answers 503 to what its target leaves to others", async () => {
      const [writer, reader] = [start("write"), start("read")];
      const client = createReceiverClient(await writer.up());

      await expect(client.renderTotal(TYPE, ALL)).rejects.toThrow(/503.*--target/);
      expect(
        await push(await reader.up(), "writer-1", Buffer.from(encodePprof(profileFromText("main")))),
      ).toBe(503);
    });
  },
);
