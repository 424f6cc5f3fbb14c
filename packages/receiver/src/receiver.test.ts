import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveConfig } from "./config.ts";
import { createReceiver, type Receiver } from "./receiver.ts";

let directory: string;
const receivers: Receiver[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "receiver-"));
});

afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  await rm(directory, { recursive: true });
});

function create(storagePath = join(directory, "data")): Receiver {
  const flags = { "api-bind-addr": "127.0.0.1:0", "storage-path": storagePath, "log-level": "error" };
  const receiver = createReceiver(resolveConfig({ flags }));
  receivers.push(receiver);
  return receiver;
}

describe("createReceiver", () => {
  it("starts once, answers, and stops once", async () => {
    const receiver = create();

    const [address, again] = await Promise.all([receiver.start(), receiver.start()]);
    const health = await fetch(`${address}/healthz`);
    await health.text();
    await Promise.all([receiver.stop(), receiver.stop()]);

    expect([again, health.status]).toEqual([address, 200]);
    await expect(fetch(`${address}/healthz`)).rejects.toThrow();
  });

  it("runs twice in one process, each with its own directory", async () => {
    const first = await create().start();
    const second = await create(join(directory, "other")).start();

    const statuses = await Promise.all(
      [first, second].map(async (address) => (await fetch(`${address}/healthz`)).status),
    );

    expect(statuses).toEqual([200, 200]);
    expect(first).not.toBe(second);
  });

  it("can be stopped while it starts: its directory is free then", async () => {
    const receiver = create();

    const [address] = await Promise.all([receiver.start(), receiver.stop()]);

    await expect(fetch(`${address}/healthz`)).rejects.toThrow();
    expect(await create().start()).toContain("http://127.0.0.1:");
  });

  it("says what is wrong with its data directory", async () => {
    const path = join(directory, "file");
    await writeFile(path, "not a directory");

    await expect(create(path).start()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringContaining(path),
    });
  });
});
