import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pushRequestBytes, stacksPprof } from "./harness/push-bytes.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess | undefined;

beforeEach(async () => {
  data = await makeDataDirectory();
  receiver = await startReadyReceiver({ directory: data.path, flags: ["--log-level", "error"] });
});

afterEach(async () => {
  await receiver?.stop("SIGKILL");
  await data.remove();
});

const now = Date.now();
const query = encodeURIComponent('process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop"}');

async function push(value: number): Promise<void> {
  const pprof = stacksPprof({
    ...{ types: [["cpu", "nanoseconds"]], periodType: ["cpu", "nanoseconds"] },
    ...{ timeUnixNanos: BigInt(now - value) * 1_000_000n, stacks: { "main;work": [value] } },
  });
  const labels = { __name__: "process_cpu", service_name: "shop" };
  const response = await fetch(`${receiver?.address}/push.v1.PusherService/Push`, {
    ...{ method: "POST", headers: { "content-type": "application/proto" } },
    body: pushRequestBytes([{ labels, pprof }]),
  });
  expect(response.status).toBe(200);
}

/** The whole answer, as bytes: what was moved to another thread once must be there the next time. */
async function ask(format: string): Promise<string> {
  const range = `from=${now - 3_600_000}&until=${now + 60_000}`;
  const response = await fetch(`${receiver?.address}/render?query=${query}&${range}&format=${format}`);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer()).toString("latin1");
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${receiver?.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

it("gives equal questions the same bytes, and one after a push what was pushed", {
  timeout: 120_000,
}, async () => {
  for (const [index, value] of [3, 5].entries()) {
    await push(value);
    const answers = await Promise.all(
      ["json", "tree", "collapsed", "json", "tree", "collapsed"].map((format) => ask(format)),
    );
    for (let round = 0; round < 3; round++) {
      expect(await Promise.all(["json", "tree", "collapsed"].map((format) => ask(format)))).toEqual(
        answers.slice(0, 3),
      );
    }
    expect(JSON.parse(answers[0] ?? "").flamebearer.numTicks).toBe(index === 0 ? 3 : 8);
    expect(answers.slice(3)).toEqual(answers.slice(0, 3));
  }

  await vi.waitFor(
    async () => expect(await metric("pyroscope_query_cache_hits")).toBeGreaterThanOrEqual(18),
    { timeout: 60_000, interval: 100 },
  );
  expect(await metric("pyroscope_query_cache_bytes")).toBeGreaterThan(0);
  expect(await metric("pyroscope_query_cache_misses")).toBeLessThan(36);
});
