import { describe, expect, it } from "vitest";
import { createReceiverClient } from "./harness/client.ts";
import { type ReadSample, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { makeDataDirectory, startReadyReceiver } from "./harness/receiver-process.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-wait.mjs");

interface Output {
  /** Milliseconds that each function waited, by its own count. */
  readonly truth: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly isErrorUntouched: boolean;
}

/** Runs the program; what it printed, and its samples by sample type. */
async function runWaiting(node: string) {
  return withReceiver(async (receiver) => {
    const { code, stdout, stderr } = await runProgram(node, [program, "all", receiver.url, "wait,wall"])
      .result;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const output: Output = JSON.parse(stdout);
    const samples: Record<string, ReadSample[]> = {};
    for (const { labels, profile } of receiver.profiles()) {
      if (labels.__name__ === "wait") samples[profile.sampleTypes[0]?.type ?? ""] = readSamples(profile);
    }
    return { output, samples };
  });
}

const sumMs = (samples: readonly ReadSample[]): number =>
  samples.reduce((total, { value }) => total + value, 0) / 1e6;

const through = (samples: readonly ReadSample[], name: string, kind: string): ReadSample[] =>
  samples.filter(({ frames }) => frames[0]?.name === kind && frames.some((frame) => frame.name === name));

describe.for(allNodes)("the wait profile on Node $major", ({ major, path }) => {
  it("has what requests wait for under those who wait, with their labels, and what is left", async () => {
    const { output, samples } = await runWaiting(path);
    const { delay = [], calls = [], elapsed = [] } = samples;

    expect(output).toMatchObject({ warnings: [], isErrorUntouched: true });
    const kinds = { retryPayment: "(timer)", readConfig: "(file system)", fetchPrices: "(fetch)" };
    // Node 20 says that a request of node:http has begun when its caller is off the stack.
    const all = major === "20" ? kinds : { ...kinds, callStock: "(http request)" };
    for (const [name, kind] of Object.entries(all)) {
      const own = through(delay, name, kind);
      // Of many waits of one kind a part is looked at, which stands for all of them.
      expect([name, sumMs(own) / (output.truth[name] ?? 0) > 0.35]).toEqual([name, true]);
      expect([name, sumMs(own) / (output.truth[name] ?? 0) < 2]).toEqual([name, true]);
      expect(new Set(own.map(({ labels }) => labels.route))).toEqual(new Set(["/pay"]));
    }
    const http = delay.filter(({ frames }) => frames[0]?.name === "(http request)");
    expect(new Set(http.map(({ labels }) => labels.route))).toEqual(new Set(["/pay"]));

    // A handler's callers are those of node:http, as a client's are.
    expect(sumMs(through(delay, "answerSlowly", "(timer)"))).toBeGreaterThan(30);

    // An answer on a connection that was open before is nobody's wait.
    const orders = delay.filter(({ labels }) => labels.route === "/orders");
    expect(orders.map(({ frames }) => frames.map(({ name }) => name))).toEqual([["unattributed"]]);
    expect(sumMs(orders)).toBeGreaterThan(6 * 40 * 0.5);

    const countOf = (route: string) => calls.find(({ labels }) => labels.route === route)?.value;
    expect([countOf("/pay"), countOf("/orders")]).toEqual([18, 6]);
    const total = Object.values(output.truth).reduce((sum, ms) => sum + ms, 0);
    expect(sumMs(elapsed)).toBeGreaterThan(0.95 * total);
    expect(sumMs(elapsed)).toBeLessThan(1.3 * total);
  });
});

describe("the receiver", () => {
  it("has a planted retry sleep of 50 ms on top", async () => {
    const directory = await makeDataDirectory();
    const receiver = await startReadyReceiver({ directory: directory.path });
    try {
      const args = [program, "retry", receiver.address, "wait,wall,cpu"];
      expect(await runProgram(process.execPath, args).result).toMatchObject({ code: 0 });

      const query = encodeURIComponent('wait:delay:nanoseconds:wait:nanoseconds{service_name="waiting"}');
      const client = createReceiverClient(receiver.address);
      const { body } = await client.get(`/render?query=${query}&from=now-1h&format=collapsed`);
      // By who waits for what: the same call has one stack before its first await and another after.
      const waits = new Map<string, number>();
      for (const line of String(body).trim().split("\n")) {
        const wait = line.replace(/ \d+$/, "").split(";").slice(-2).join(";");
        waits.set(wait, (waits.get(wait) ?? 0) + Number(line.split(" ").at(-1)));
      }
      const [first] = [...waits].sort(([, a], [, b]) => b - a);

      expect(first?.[0]).toBe("retryPayment;(timer)");
    } finally {
      await receiver.stop();
      await directory.remove();
    }
  });
});
