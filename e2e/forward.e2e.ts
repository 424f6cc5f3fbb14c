import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient, transports } from "./harness/client.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const RANGE = { from: "now-1h", until: "now" };
const SAMPLES = "process_cpu:samples:count::";
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const TARGET_TOKEN = "tried-there";

const directories: { remove(): Promise<void> }[] = [];
const receivers: ReceiverProcess[] = [];

async function start(...flags: string[]): Promise<ReceiverProcess> {
  const directory = await makeDataDirectory();
  directories.push(directory);
  const receiver = await startReadyReceiver({
    directory: directory.path,
    flags: ["--log-level", "error", ...flags],
  });
  receivers.push(receiver);
  return receiver;
}

afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  await Promise.all(directories.map((directory) => directory.remove()));
});

/** A profile of this minute whose total is `value`. */
const pprof = (value: number): Uint8Array =>
  encodePprof(
    profileFromText("main\nhot", { values: [value], timeUnixNanos: BigInt(Date.now()) * 1_000_000n }),
  );

async function push(
  address: string,
  service: string,
  payload: Uint8Array,
  transport: keyof typeof transports,
) {
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: service },
  ];
  const client = createReceiverClient(address);
  await client.pusher(transport).push({ series: [{ labels, samples: [{ rawProfile: payload }] }] });
}

async function totalOf(address: string, type: string, service: string): Promise<bigint> {
  return await createReceiverClient(address).renderTotal(`${type}{service_name="${service}"}`, RANGE);
}

/** Values of the counter of forwarded pushes, by outcome. */
async function forwarded(address: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${address}/metrics`)).text();
  const rows = text.matchAll(/^pyroscope_forwarded_pushes_total\{outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries(Array.from(rows, ([, outcome, count]) => [outcome, Number(count)]));
}

describe("--forward-to", () => {
  let target: ReceiverProcess;
  let source: ReceiverProcess;

  beforeAll(async () => {
    target = await start();
    source = await start("--forward-to", target.address);
  });

  it.for(Object.keys(transports) as (keyof typeof transports)[])(
    "what is pushed by %s is on the other server too",
    async (transport) => {
      const service = `push-${transport.replaceAll(/\W/g, "")}`;
      await push(source.address, service, pprof(7), transport);

      expect(await totalOf(source.address, SAMPLES, service)).toBe(7n);
      await expect.poll(() => totalOf(target.address, SAMPLES, service)).toBe(7n);
    },
  );

  it("so is what comes over /ingest, text and forms alike, under its name and time", async () => {
    const client = createReceiverClient(source.address);
    const seconds = String(Math.floor(Date.now() / 1000));
    const text = new TextEncoder().encode("main;hot 5\nmain;cold 2\n");
    await client.ingest({ name: "text{region=eu}", from: seconds, until: seconds }, text);
    const form = new FormData();
    form.append("profile", new Blob([new Uint8Array(pprof(11))]), "profile.pprof");
    await client.ingest({ name: "form", from: seconds, until: seconds }, form);

    // 100 Hz without a rate: a sample is 10 ms.
    await expect.poll(() => totalOf(target.address, CPU, "text")).toBe(70_000_000n);
    await expect.poll(() => totalOf(target.address, SAMPLES, "form")).toBe(11n);
    expect(await totalOf(source.address, CPU, "text")).toBe(70_000_000n);
  });

  it("what is refused here is not sent there", async () => {
    const before = await forwarded(source.address);
    await expect(push(source.address, "bad", new Uint8Array([1, 2, 3]), "Connect, proto")).rejects.toThrow();
    await push(source.address, "good", pprof(3), "Connect, proto");

    await expect.poll(() => totalOf(target.address, SAMPLES, "good")).toBe(3n);
    expect(await forwarded(source.address)).toEqual({ ...before, sent: (before.sent ?? 0) + 1 });
  });

  it("two receivers that forward to each other send a push once", async () => {
    const left = await start("--forward-to", source.address);
    const before = (await forwarded(source.address)).sent ?? 0;
    await push(left.address, "ring", pprof(9), "Connect, proto");

    await expect.poll(() => totalOf(source.address, SAMPLES, "ring")).toBe(9n);
    await push(source.address, "after-ring", pprof(1), "Connect, proto");
    await expect.poll(() => totalOf(target.address, SAMPLES, "after-ring")).toBe(1n);
    expect((await forwarded(source.address)).sent).toBe(before + 1);
    expect(await totalOf(target.address, SAMPLES, "ring")).toBe(0n);
  });

  it("sends its token, and says when it is refused", async () => {
    const guarded = await start("--auth-token", `push=${TARGET_TOKEN},read=${TARGET_TOKEN}`);
    const trusted = await start("--forward-to", guarded.address, "--forward-auth-token", TARGET_TOKEN);
    const stranger = await start("--forward-to", guarded.address);

    await push(trusted.address, "token", pprof(2), "Connect, proto");
    await push(stranger.address, "token", pprof(2), "Connect, proto");

    await expect.poll(() => forwarded(trusted.address)).toEqual({ sent: 1 });
    await expect.poll(() => forwarded(stranger.address)).toEqual({ refused: 1 });
    expect(await (await fetch(`${trusted.address}/api/v1/status/config`)).text()).not.toContain(TARGET_TOKEN);
  });
});

describe("--forward-to a server that does not answer", () => {
  let silent: Server;

  beforeAll(async () => {
    silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  });

  afterAll(() => {
    silent.closeAllConnections();
    silent.close();
  });

  it("pushes are answered and stored all the same; what does not fit is dropped and counted", async () => {
    const { port } = silent.address() as AddressInfo;
    const source = await start(
      ...["--forward-to", `http://127.0.0.1:${port}`, "--forward-queue-mb", "0.001"],
      ...["--shutdown-timeout", "100ms"],
    );

    for (let i = 0; i < 20; i++) await push(source.address, "alone", pprof(100 + i), "Connect, proto");

    expect(await totalOf(source.address, SAMPLES, "alone")).toBe(2190n);
    expect((await forwarded(source.address)).dropped).toBeGreaterThan(0);
    const { code } = await source.stop();
    expect(code).toBe(0);
  });
});
