import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLabelExplosion } from "./harness/label-explosion.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";
import { openSlowClients } from "./harness/slow-clients.ts";

const COUNTS = { headers: 40, bodies: 40, neverReading: 20 };
const FLAGS = ["--log-level", "error", "--http-read-timeout", "3s", "--http-idle-timeout", "3s"];

let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({ directory: directory.path, flags: FLAGS });
}, 60_000);

afterAll(async () => {
  await receiver.stop();
  await directory.remove();
});

describe.skipIf(process.platform !== "linux")("slow clients", () => {
  it("hold up no other, are closed, and leave no descriptor behind", async () => {
    const pushes = createLabelExplosion("healthy");
    const push = async (): Promise<number> => {
      const response = await fetch(`${receiver.address}/push.v1.PusherService/Push`, {
        method: "POST",
        headers: { "content-type": "application/proto", connection: "close" },
        body: pushes.next(1),
      });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await push()).toBe(200);
    const before = socketCount();

    const slow = await openSlowClients(receiver.address, COUNTS);
    const statuses = await Promise.all(Array.from({ length: 20 }, push));
    const whileSlow = slow.openCount;
    await slow.closed;

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(whileSlow).toBeGreaterThan(0);
    // The test's own time-out is the limit.
    while (socketCount() > before) await sleep(50);
  });
});

function socketCount(): number {
  const directory = `/proc/${receiver.process.pid}/fd`;
  return readdirSync(directory).filter((name) => isSocket(`${directory}/${name}`)).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    // Closed since it was listed.
    return false;
  }
}
