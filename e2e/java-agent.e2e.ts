import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

// What io.pyroscope:agent 2.9.2 sent for one second of a program; the README beside protocol's recordings says how.
// Totals were summed from `jfr print --json`.
const LABELS =
  "otel.scope.name=com.grafana.pyroscope/java,otel.scope.version=2.9.2," +
  "process.runtime.name=OpenJDK Runtime Environment,process.runtime.version=17.0.15+6-Debian-1deb12u1,region=eu";

let directory: string;
let receiver: ReceiverProcess;
let client: ReceiverClient;

const start = async (): Promise<void> => {
  receiver = await startReadyReceiver({ directory, flags: ["--log-level", "error"] });
  client = createReceiverClient(receiver.address);
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-e2e-"));
  await start();
});

afterAll(async () => {
  await receiver.stop();
  await rm(directory, { recursive: true });
});

const nowSeconds = Math.floor(Date.now() / 1000);
const range = { from: `${nowSeconds - 600}`, until: `${nowSeconds + 600}` };

/** Sends a recorded request again, as if it had been made now. */
async function replay(service: string, event: "itimer" | "wall"): Promise<Response> {
  const body = await readFile(new URL(`fixtures/java-agent-${event}.multipart`, import.meta.url));
  const boundary = body.toString("latin1", 2, body.indexOf("\r\n"));
  const query = new URLSearchParams({
    name: `${service}{${LABELS}}`,
    units: "samples",
    aggregationType: "sum",
    from: `${nowSeconds - 1}`,
    until: `${nowSeconds}`,
    spyName: "javaspy",
    sampleRate: "100",
    format: "jfr",
  });
  return fetch(`${receiver.address}/ingest?${query}`, {
    method: "POST",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}`, "user-agent": "okhttp/4.12.0" },
    body,
  });
}

const totals = {
  itimer: {
    "process_cpu:cpu:nanoseconds:cpu:nanoseconds": 670_000_000n,
    "memory:alloc_in_new_tlab_objects:count:space:bytes": 135n,
    "memory:alloc_in_new_tlab_bytes:bytes:space:bytes": 246_941_440n,
    "memory:live:count:objects:count": 33n,
    "mutex:contentions:count:mutex:count": 4n,
    "mutex:delay:nanoseconds:mutex:count": 933_207_761n,
  },
  wall: {
    "wall:wall:nanoseconds:wall:nanoseconds": 23_310_000_000n,
    "process_cpu:cpu:nanoseconds:cpu:nanoseconds": 1_800_000_000n,
    "memory:alloc_in_new_tlab_objects:count:space:bytes": 68n,
    "memory:alloc_in_new_tlab_bytes:bytes:space:bytes": 131_597_264n,
    "memory:live:count:objects:count": 31n,
    "mutex:contentions:count:mutex:count": 4n,
    "mutex:delay:nanoseconds:mutex:count": 831_373_264n,
  },
} as const;

const totalsOf = async (service: string, types: readonly string[]): Promise<Record<string, bigint>> => {
  const found: Record<string, bigint> = {};
  for (const type of types) {
    found[type] = await client.renderTotal(`${type}{service_name="${service}"}`, range);
  }
  return found;
};

describe("the agent for Java", () => {
  it.for(["itimer", "wall"] as const)("stores an upload of event %s to exact totals, once", async (event) => {
    const service = `java-${event}`;

    expect((await replay(service, event)).status).toBe(200);
    // A client that saw no answer sends the same again.
    expect((await replay(service, event)).status).toBe(200);

    expect(await totalsOf(service, Object.keys(totals[event]))).toEqual(totals[event]);
  });

  it("finds the samples of a label, of a span's name and of a trigger", async () => {
    await replay("java-labels", "itimer");
    const total = (selector: string) =>
      client.renderTotal(
        `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="java-labels",${selector}}`,
        range,
      );

    expect(await total('route="/cart"')).toBe(300_000_000n);
    expect(await total('shard="a=b,c"')).toBe(180_000_000n);
    expect(await total('span_name="GET /cart"')).toBe(300_000_000n);
    expect(await total('jfr_event="itimer",pyroscope_spy="javaspy",region="eu"')).toBe(670_000_000n);
  });

  it("finds the samples of a span", async () => {
    await replay("java-span", "itimer");

    const { flamegraph } = await client.querier().selectMergeSpanProfile({
      profileTypeID: "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
      labelSelector: '{service_name="java-span"}',
      spanSelector: ["00f067aa0ba902b7"],
      start: BigInt(nowSeconds - 600) * 1000n,
      end: BigInt(nowSeconds + 600) * 1000n,
    });

    expect(flamegraph?.total).toBe(300_000_000n);
    expect(flamegraph?.names).toContain("Shop.price");
  });

  it("keeps them over a crash", async () => {
    expect((await replay("java-crash", "wall")).status).toBe(200);

    await receiver.stop("SIGKILL");
    await start();

    expect(await totalsOf("java-crash", Object.keys(totals.wall))).toEqual(totals.wall);
  });

  it("answers 422 to a recording that is cut off, and stores nothing of it", async () => {
    const answer = await client.ingest(
      { name: "java-cut", format: "jfr", from: `${nowSeconds}` },
      Buffer.from("FLR\0\0\u0002\0\0 and no more"),
    );

    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: "unknown",
        message: expect.stringMatching(/^parsing IngestInput-pprof failed decoding a JFR recording: /),
      },
    });
    const { names } = await client.querier().labelValues({
      name: "service_name",
      start: BigInt(nowSeconds - 600) * 1000n,
      end: BigInt(nowSeconds + 600) * 1000n,
    });
    expect(names).not.toContain("java-cut");
  });
});
