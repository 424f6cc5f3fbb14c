import { encodePprof, ProfileBuilder } from "@pyroscope-ts/protocol";
import { create, PushRequestSchema, toBinary } from "@pyroscope-ts/protocol/messages";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SAMPLES_PER_PROFILE = 10_000;
const SERIES_LIMIT = 1000;

describe("span ids and names without number", () => {
  let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
  let receiver: ReceiverProcess;
  beforeAll(async () => {
    directory = await makeDataDirectory();
    const flags = ["--log-level", "error", "--max-global-series-per-tenant", String(SERIES_LIMIT)];
    receiver = await startReadyReceiver({ directory: directory.path, flags });
  });
  afterAll(async () => {
    await receiver?.stop();
    await directory?.remove();
  });

  const push = async (service: string, rawProfile: Uint8Array): Promise<void> => {
    const message = create(PushRequestSchema, {
      series: [
        {
          labels: [
            { name: "__name__", value: "process_cpu" },
            { name: "service_name", value: service },
          ],
          samples: [{ rawProfile }],
        },
      ],
    });
    const response = await fetch(`${receiver.address}/push.v1.PusherService/Push`, {
      method: "POST",
      headers: { "content-type": "application/proto" },
      body: Buffer.from(toBinary(PushRequestSchema, message)),
    });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  };
  const get = async (path: string, service: string, parameters: Record<string, string> = {}) => {
    const query = path.endsWith("spans")
      ? `${CPU}{service_name="${service}"}`
      : `{service_name="${service}"}`;
    const url = `${receiver.address}${path}?${new URLSearchParams({ query, from: "now-1h", ...parameters })}`;
    // biome-ignore lint/suspicious/noExplicitAny: JSON of two routes; the tests compare what they name.
    return (await (await fetch(url)).json()) as any;
  };

  it("add no series for a million traces, each of which is found", async () => {
    const template = drawTemplate(false);
    await push("many-traces", stamp(template, 0));
    const before = await get("/api/v1/cardinality", "many-traces");

    for (let i = 1; i < 100; i++) await push("many-traces", stamp(template, i));

    const after = await get("/api/v1/cardinality", "many-traces");
    expect([before.seriesCount, after.seriesCount]).toEqual([1, 1]);
    const all = await get("/api/v1/spans", "many-traces", { limit: "1" });
    expect([all.spanCount, all.total, all.spanTotal]).toEqual([1_000_000, "1000000", "1000000"]);
    for (const [profileIndex, sample] of [
      [0, 0],
      [57, 4321],
      [99, 9999],
    ] as const) {
      const [spanId, traceId] = [
        spanIdOf(toMark(profileIndex), sample),
        traceIdOf(toMark(profileIndex), sample),
      ];
      const { spans } = await get("/api/v1/spans", "many-traces", { trace_id: traceId });
      expect(spans).toMatchObject([{ spanId, traceId, total: "1" }]);
    }
  }, 240_000);

  it("keep 100,000 names of spans within the limit of series, and every id", async () => {
    const template = drawTemplate(true);

    for (let i = 0; i < 10; i++) await push("many-names", stamp(template, i));

    const { seriesCount } = await get("/api/v1/cardinality", "many-names");
    expect(seriesCount).toBeLessThanOrEqual(SERIES_LIMIT);
    const all = await get("/api/v1/spans", "many-names");
    expect([all.spanCount, all.total, all.spanTotal]).toEqual([100_000, "100000", "100000"]);
    const { spans } = await get("/api/v1/spans", "many-names", { span_id: spanIdOf(toMark(9), 9999) });
    expect(spans).toMatchObject([{ traceId: traceIdOf(toMark(9), 9999), total: "1" }]);
  }, 120_000);
});

/** Stands for the number of a profile in all of its texts, as wide as that number: a profile is made once. */
const MARK = "deadbeef";

function toMark(profileIndex: number): string {
  return profileIndex.toString(16).padStart(MARK.length, "0");
}

function spanIdOf(mark: string, sample: number): string {
  return `${mark}${(sample + 1).toString(16).padStart(8, "0")}`;
}

function traceIdOf(mark: string, sample: number): string {
  return `f${spanIdOf(mark, sample)}`.padEnd(32, "0");
}

/** A profile of one stack, whose samples are 1 ns each and belong to a span of their own. */
function drawTemplate(hasNames: boolean): Buffer {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 1n,
    timeUnixNanos: BigInt(Date.now()) * 1_000_000n,
    durationNanos: 1n,
  });
  const main = builder.location({ lines: [{ function: builder.function({ name: "main" }), line: 1 }] });
  for (let i = 0; i < SAMPLES_PER_PROFILE; i++) {
    const labels = [
      { key: "span_id", text: spanIdOf(MARK, i) },
      { key: "trace_id", text: traceIdOf(MARK, i) },
    ];
    if (hasNames) labels.push({ key: "span_name", text: `GET /user/${MARK}/${i}` });
    builder.addSample([main], [1], labels);
  }
  return Buffer.from(encodePprof(builder.build()));
}

function stamp(template: Buffer, profileIndex: number): Buffer {
  const bytes = Buffer.from(template);
  const mark = Buffer.from(toMark(profileIndex));
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length))
    mark.copy(bytes, at);
  return bytes;
}
