import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nanosAt, T0 } from "../../query/testing/query-fixture.ts";
import { CPU_TYPE } from "../../query/testing/table-store.ts";
import { createQueryServer, type QueryServer, TRACE } from "../testing/query-server.ts";

const RANGE = { query: `${CPU_TYPE}{}`, from: String(T0), until: String(T0 + 60_000) };
const TRACE_ID = TRACE.replaceAll("-", "");

let server: QueryServer;

async function open(flags: Record<string, string> = {}): Promise<void> {
  server = await createQueryServer(flags);
  await server.fixture.store.add([
    {
      timeUnixNanos: nanosAt(1),
      labels: { service_name: "a/b", span_name: "GET /" },
      stacks: { "main;slow": 2n ** 60n },
      spanId: 0xbn,
      traceId: TRACE,
    },
    { timeUnixNanos: nanosAt(2), labels: { span_name: "job" }, stacks: { "main;fast": 3 }, spanId: 0xcn },
    { timeUnixNanos: nanosAt(3), stacks: { main: 4 } },
  ]);
}

beforeEach(async () => {
  await open();
});

afterEach(async () => {
  await server.close();
});

async function get(path: string, parameters: Record<string, string>) {
  return await server.app.inject({ url: `${path}?${new URLSearchParams({ ...RANGE, ...parameters })}` });
}

describe("GET /api/v1/spans", () => {
  it("answers names and spans, largest first, with int64 as text and the share that has ids", async () => {
    const response = await get("/api/v1/spans", {});

    expect(response.headers["x-pyroscope-resolution"]).toBe("raw");
    expect(response.json()).toEqual({
      total: String(2n ** 60n + 7n),
      spanTotal: String(2n ** 60n + 3n),
      spanCount: 2,
      names: [
        { service: "a/b", name: "GET /", spanCount: 1, total: String(2n ** 60n) },
        { service: "shop", name: "job", spanCount: 1, total: "3" },
      ],
      spans: [
        {
          service: "a/b",
          name: "GET /",
          spanId: "000000000000000b",
          traceId: TRACE_ID,
          firstUnixMillis: T0 + 1,
          lastUnixMillis: T0 + 1,
          total: String(2n ** 60n),
        },
        {
          service: "shop",
          name: "job",
          spanId: "000000000000000c",
          traceId: "",
          firstUnixMillis: T0 + 2,
          lastUnixMillis: T0 + 2,
          total: "3",
        },
      ],
    });
  });

  it("narrows by function, ids and selector, and lists as many as asked", async () => {
    const ids = async (parameters: Record<string, string>): Promise<string[]> =>
      (await get("/api/v1/spans", parameters)).json().spans.map(({ spanId }: { spanId: string }) => spanId);

    expect(await ids({ function: "slow" })).toEqual(["000000000000000b"]);
    expect(await ids({ trace_id: TRACE_ID })).toEqual(["000000000000000b"]);
    expect(await ids({ span_id: "000000000000000C,0000000000000001" })).toEqual(["000000000000000c"]);
    expect(await ids({ query: `${CPU_TYPE}{span_name="job"}` })).toEqual(["000000000000000c"]);
    expect(await ids({ limit: "1" })).toEqual(["000000000000000b"]);
  });

  it("links spans that have a trace id to where --trace-url says", async () => {
    await server.close();
    await open({ "trace-url": "https://t.example.com/{service}/{traceId}#{spanId}?{from}" });

    const urls = (await get("/api/v1/spans", {}))
      .json()
      .spans.map(({ traceUrl }: { traceUrl?: string }) => traceUrl);

    expect(urls).toEqual([`https://t.example.com/a%2Fb/${TRACE_ID}#000000000000000b?${T0 + 1}`, undefined]);
  });

  it.for([
    { limit: "all" },
    { limit: "0" },
    { limit: "1001" },
    { span_id: "b" },
    { trace_id: "xyz" },
    { span_id: "000000000000000b", trace_id: TRACE_ID },
    { query: "nothing" },
  ])("refuses %o", async (parameters) => {
    const response = await get("/api/v1/spans", parameters);

    expect([response.statusCode, response.json().code]).toEqual([400, "invalid_argument"]);
  });
});

describe("GET /render with ids", () => {
  it("has only the samples of the spans or traces that are named, on its timeline too", async () => {
    const ticks = async (parameters: Record<string, string>): Promise<unknown> => {
      const { flamebearer, timeline } = (await get("/render", parameters)).json();
      return [flamebearer.numTicks, timeline.samples.reduce((sum: number, value: number) => sum + value, 0)];
    };

    expect(await ticks({ span_id: "000000000000000c" })).toEqual([3, 3]);
    expect(await ticks({ trace_id: TRACE_ID })).toEqual([2 ** 60, 2 ** 60]);
    expect(await ticks({ trace_id: "0".repeat(31).concat("1") })).toEqual([0, 0]);
  });

  it("splits a trace by service", async () => {
    const { groups } = (await get("/render", { trace_id: TRACE_ID, groupBy: "service_name" })).json();

    expect(Object.keys(groups)).toEqual(["a/b"]);
  });

  it("lays a span over everything with /render-diff", async () => {
    const response = await get("/render-diff", {
      leftQuery: RANGE.query,
      leftFrom: RANGE.from,
      leftUntil: RANGE.until,
      rightQuery: RANGE.query,
      rightFrom: RANGE.from,
      rightUntil: RANGE.until,
      right_span_id: "000000000000000c",
    });

    expect(response.json()).toMatchObject({ rightTicks: 3 });
  });
});
