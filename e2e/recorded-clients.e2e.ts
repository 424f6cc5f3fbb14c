import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { fromBinary, PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { Profile } from "pprof-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { pushRequestBytes, stacksPprof } from "./harness/push-bytes.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

// What official clients sent, recorded by `pnpm test:interop`. Their pprofs are added up by a decoder that is not ours.
const fixtures = new URL("../interop/fixtures/", import.meta.url);
const ALL_TIMES = { from: "1000000000", until: "4000000000" };

interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;
let client: ReceiverClient;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({
    directory: directory.path,
    flags: ["--reject-older-than", "0", "--reject-newer-than", "0", "--log-level", "error"],
  });
  client = createReceiverClient(receiver.address);
  // A machine that runs every other test beside it takes long to start a receiver.
}, 60_000);

afterAll(async () => {
  await receiver?.stop();
  await directory?.remove();
});

function readRequests(name: string): readonly RecordedRequest[] {
  const folder = new URL(`${name}/`, fixtures);
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => ({
    ...JSON.parse(readFileSync(new URL(file, folder), "utf8")),
    body: readFileSync(new URL(file.replace(".json", ".body"), folder)),
  }));
}

/** Sends what a client sent, from a service of its own. */
async function replay(name: string, service: string): Promise<void> {
  for (const { method, url, headers, body } of readRequests(name)) {
    const query = url.replace(/name=shop/, `name=${service}`);
    const answer = await fetch(`${receiver.address}${query}`, { method, headers, body });
    expect([await answer.text(), answer.status]).toEqual([expect.any(String), 200]);
  }
}

/** The pprofs of a request: a Push, a form, or the body itself. */
function pprofsOf({ url, headers, body }: RecordedRequest): readonly Profile[] {
  if (url.includes("/push.v1.PusherService/")) {
    const message = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    const { series } = fromBinary(PushRequestSchema, message);
    return series.flatMap(({ samples }) => samples.map(({ rawProfile }) => decode(Buffer.from(rawProfile))));
  }
  if (body[0] !== 0x2d) return [decode(body)];
  const boundary = body.subarray(0, body.indexOf("\r\n"));
  const start = body.indexOf("\r\n\r\n", body.indexOf('name="profile"')) + 4;
  return [decode(body.subarray(start, body.indexOf(boundary, start) - 2))];
}

function decode(bytes: Buffer): Profile {
  return Profile.decode(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
}

/** Sums by `type:unit`. */
function sumByType(profiles: readonly Profile[]): Readonly<Record<string, bigint>> {
  const sums: Record<string, bigint> = {};
  for (const profile of profiles) {
    const text = (index: unknown) => profile.stringTable.strings[Number(index)] ?? "";
    profile.sampleType.forEach(({ type, unit }, column) => {
      const key = `${text(type)}:${text(unit)}`;
      const values = profile.sample.map(({ value }) => BigInt(value[column] ?? 0));
      sums[key] = values.reduce((sum, value) => sum + value, sums[key] ?? 0n);
    });
  }
  return sums;
}

const totalOf = (service: string, type: string): Promise<bigint> =>
  client.renderTotal(`${type}{service_name="${service}"}`, ALL_TIMES);

describe("recorded pprofs", () => {
  it.for([
    {
      name: "go",
      types: [
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
        "process_cpu:samples:count:cpu:nanoseconds",
        "memory:alloc_objects:count:space:bytes",
        "memory:alloc_space:bytes:space:bytes",
        "memory:inuse_objects:count:space:bytes",
        "memory:inuse_space:bytes:space:bytes",
        "goroutine:goroutine:count:goroutine:count",
        "goroutine_leak:goroutineleak:count:goroutineleak:count",
      ],
    },
    {
      name: "node",
      types: [
        "wall:cpu:nanoseconds:wall:nanoseconds",
        "wall:wall:nanoseconds:wall:nanoseconds",
        "memory:inuse_objects:count:inuse_space:bytes",
        "memory:inuse_space:bytes:inuse_space:bytes",
      ],
    },
    { name: "python", types: ["process_cpu:cpu:nanoseconds:cpu:nanoseconds"] },
    { name: "rust", types: ["process_cpu:cpu:nanoseconds:cpu:nanoseconds"] },
  ])("of $name are stored to exact totals", async ({ name, types }) => {
    const service = name === "python" || name === "rust" ? "shop" : `recorded-${name}`;
    const before = await Promise.all(types.map((type) => totalOf(service, type)));

    await replay(name, service);

    const sums = sumByType(readRequests(name).flatMap(pprofsOf));
    const after = await Promise.all(types.map((type) => totalOf(service, type)));
    const added = types.map((type, index) => [type, (after[index] ?? 0n) - (before[index] ?? 0n)]);
    const expected = types.map((type) => [type, sums[type.split(":").slice(1, 3).join(":")] ?? 0n]);
    expect(added).toEqual(expected);
    expect(expected.map(([, sum]) => sum)).not.toContain(0n);
  });

  it("of Go keep contentions of locks and of channels apart", async () => {
    await replay("go", "recorded-locks");

    const contentions = sumByType(readRequests("go").flatMap(pprofsOf))["contentions:count"];
    const mutex = await totalOf("recorded-locks", "mutex:contentions:count:contentions:count");
    const block = await totalOf("recorded-locks", "block:contentions:count:contentions:count");
    expect(mutex + block).toBe(contentions);
    expect([mutex > 0n, block > 0n]).toEqual([true, true]);
  });
});

describe("recorded recordings of the agent for Java", () => {
  it("are stored to exact totals, without their part for labels, one after the other", async () => {
    await replay("java", "recorded-java");

    // Summed from `jfr print --json`.
    expect(
      await Promise.all(
        [
          "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
          "memory:alloc_in_new_tlab_objects:count:space:bytes",
          "memory:alloc_in_new_tlab_bytes:bytes:space:bytes",
          "mutex:contentions:count:mutex:count",
          "mutex:delay:nanoseconds:mutex:count",
        ].map((type) => totalOf("recorded-java", type)),
      ),
    ).toEqual([480_000_000n, 224n, 234_884_608n, 10n, 401_123_671n]);
  });
});

describe("recorded requests of the collector and of Alloy", () => {
  it.for(["shop-proto", "shop-proto-gzip", "shop-json"])(
    "OTLP for %s is stored to exact totals",
    async (service) => {
      await replay("otlp", "shop");

      expect(await totalOf(service, "process_cpu:cpu:nanoseconds:cpu:nanoseconds")).toBe(2_000_000_000n);
      expect(await totalOf(service, "off_cpu:off_cpu:nanoseconds::")).toBe(12_000_000n);
    },
  );

  it("pushes of Alloy, plain and gzip, are stored to exact totals", async () => {
    await replay("alloy", "recorded");

    for (const service of ["recorded-connect", "recorded-connect-gzip"]) {
      expect(await totalOf(service, "process_cpu:cpu:nanoseconds:cpu:nanoseconds")).toBe(400_000_000n);
      expect(await totalOf(service, "process_cpu:samples:count:cpu:nanoseconds")).toBe(40n);
    }
  });
});

describe("requests by specification", () => {
  const timeUnixNanos = BigInt(Date.now()) * 1_000_000n;
  const push = async (body: Uint8Array, headers: Readonly<Record<string, string>>) => {
    const answer = await fetch(`${receiver.address}/push.v1.PusherService/Push`, {
      method: "POST",
      headers: { "content-type": "application/proto", ...headers },
      body,
    });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  };

  it("of the SDK for Ruby are stored to exact totals", async () => {
    const pprof = stacksPprof({
      types: [["cpu", "nanoseconds"]],
      periodType: ["cpu", "nanoseconds"],
      timeUnixNanos,
      stacks: { "main.rb - <main>;app.rb - work": [70_000_000], "main.rb - <main>": [30_000_000] },
    });
    const labels = {
      __name__: "process_cpu",
      service_name: "by-specification-ruby",
      "otel.scope.name": "com.grafana.pyroscope/ruby",
      "otel.scope.version": "1.0.0",
      "process.runtime.name": "ruby",
      "process.runtime.version": "3.4.1",
      region: "eu",
    };

    await push(gzipSync(pushRequestBytes([{ labels, pprof }])), { "content-encoding": "gzip" });

    expect(await totalOf("by-specification-ruby", "process_cpu:cpu:nanoseconds:cpu:nanoseconds")).toBe(
      100_000_000n,
    );
  });

  it("of the old gem for Ruby name functions by file", async () => {
    const pprof = stacksPprof({
      types: [["samples", "count"]],
      periodType: ["", "milliseconds"],
      timeUnixNanos,
      stacks: { "<main>;work": [7] },
    });
    const query = { name: "by-specification-rbspy{region=eu}", spyName: "rbspy", from: `${Date.now()}` };
    const form = new FormData();
    form.set("profile", new Blob([pprof as Uint8Array<ArrayBuffer>]), "profile.pprof");

    expect(await client.ingest(query, form)).toMatchObject({ status: 200, body: "" });

    const type = "process_cpu:samples:count::milliseconds";
    expect(await totalOf("by-specification-rbspy", type)).toBe(7n);
  });

  it("of the profiler for .NET are stored to exact totals, each under its name", async () => {
    const of = (types: readonly (readonly [string, string])[], values: readonly number[]) =>
      stacksPprof({
        types,
        periodType: ["", "nanoseconds"],
        timeUnixNanos,
        stacks: { "Shop.dll!Main;Shop.dll!Price": values },
      });
    const labels = (name: string) => ({
      __name__: name,
      service_name: "by-specification-dotnet",
      spy_name: "dotnetspy",
    });
    const series = [
      { labels: labels("process_cpu"), pprof: of([["cpu", "nanoseconds"]], [120_000_000]) },
      { labels: labels("wall"), pprof: of([["wall", "nanoseconds"]], [900_000_000]) },
      {
        labels: labels("memory"),
        pprof: of(
          [
            ["alloc_samples", "count"],
            ["alloc_size", "bytes"],
          ],
          [12, 34_567],
        ),
      },
      { labels: labels("lock"), pprof: of([["lock_count", "count"]], [3]) },
      { labels: labels("exception"), pprof: of([["exception", "count"]], [2]) },
    ];

    await push(pushRequestBytes(series), {});

    const totals = await Promise.all(
      [
        "process_cpu:cpu:nanoseconds::nanoseconds",
        "wall:wall:nanoseconds::nanoseconds",
        "memory:alloc_samples:count::nanoseconds",
        "memory:alloc_size:bytes::nanoseconds",
        "lock:lock_count:count::nanoseconds",
        "exception:exception:count::nanoseconds",
      ].map((type) => totalOf("by-specification-dotnet", type)),
    );
    expect(totals).toEqual([120_000_000n, 900_000_000n, 12n, 34_567n, 3n, 2n]);
  });
});
