import {
  create,
  fromBinary,
  SelectMergeStacktracesRequestSchema,
  SelectMergeStacktracesResponseSchema,
  toBinary,
} from "@pyroscope-ts/protocol/messages";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createQueryFixture,
  nanosAt,
  type QueryFixture,
  spreadable,
  T0,
} from "../query/testing/query-fixture.ts";
import { CPU_TYPE } from "../query/testing/table-store.ts";
import { createTestApp, type TestApp } from "../testing/create-test-app.ts";

const TRACE = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

let fixture: QueryFixture;
let server: TestApp;

beforeEach(async () => {
  fixture = await createQueryFixture();
  server = await createTestApp({ storage: spreadable(fixture.queries) });
});

afterEach(async () => {
  await server.app.close();
  await fixture.store.close();
});

/** Calls a method in Connect's JSON form. */
async function call(method: string, message: object, headers: Record<string, string> = {}) {
  const response = await server.app.inject({
    method: "POST",
    url: `/querier.v1.QuerierService/${method}`,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(message),
  });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}

const RANGE = { start: String(T0), end: T0 + 1000 };
const SELECTION = { ...RANGE, profile_typeID: CPU_TYPE, labelSelector: "{}" };

async function addTwoStacks(): Promise<void> {
  await fixture.store.add([
    { timeUnixNanos: nanosAt(1), labels: { env: "prod" }, stacks: { "a;b@x.js:3": 1 }, spanId: 7n },
    { timeUnixNanos: nanosAt(2), labels: { "otel.scope.name": "sdk" }, stacks: { "a;c": 2 }, traceId: TRACE },
  ]);
}

describe("SelectMergeStacktraces", () => {
  it("answers a flame graph with int64 as text", async () => {
    await addTwoStacks();

    const { status, headers, body } = await call("SelectMergeStacktraces", SELECTION);

    expect(status).toBe(200);
    expect(headers["x-pyroscope-resolution"]).toBe("raw");
    expect(headers["x-pyroscope-partial"]).toBeUndefined();
    expect(body).toEqual({
      flamegraph: {
        names: ["total", "a", "c", "b"],
        levels: [
          { values: ["0", "3", "0", "0"] },
          { values: ["0", "3", "0", "1"] },
          { values: ["0", "1", "1", "3", "0", "2", "2", "2"] },
        ],
        total: "3",
        maxSelf: "2",
      },
    });
  });

  it("answers a root alone where there is no data, never nothing", async () => {
    const { body } = await call("SelectMergeStacktraces", {
      ...SELECTION,
      format: "PROFILE_FORMAT_FLAMEGRAPH",
    });

    expect(body).toEqual({ flamegraph: { names: ["total"], levels: [{ values: ["0", "0", "0", "0"] }] } });
  });

  it("answers tree bytes, none where there is no data", async () => {
    const tree = { ...SELECTION, format: "PROFILE_FORMAT_TREE" };
    expect((await call("SelectMergeStacktraces", tree)).body).toEqual({});

    await addTwoStacks();
    const { body } = await call("SelectMergeStacktraces", tree);

    expect(Buffer.from(body.tree, "base64").toString("hex")).toBe(
      "000001" + "01610002" + "01630200" + "01620100",
    );
  });

  it("answers a pprof message, empty where there is no data", async () => {
    const pprof = { ...SELECTION, format: "PROFILE_FORMAT_PPROF", maxNodes: 1 };
    expect((await call("SelectMergeStacktraces", pprof)).body).toEqual({ pprof: { profile: {} } });

    await addTwoStacks();
    const { profile } = (await call("SelectMergeStacktraces", pprof)).body.pprof;

    expect(profile.sample.map(({ value }: { value: string[] }) => value[0]).sort()).toEqual(["1", "2"]);
    expect(profile.stringTable).toContain("x.js");
    expect(profile).toMatchObject({ timeNanos: String(nanosAt(1000)), period: "1000000000" });
  });

  it("says that graphs are not available", async () => {
    const { status, body } = await call("SelectMergeStacktraces", {
      ...SELECTION,
      format: "PROFILE_FORMAT_DOT",
    });

    expect(status).toBe(501);
    expect(body.code).toBe("unimplemented");
  });

  it("narrows by spans, traces, profiles and call site", async () => {
    await addTwoStacks();
    const totalOf = async (changes: object) =>
      (await call("SelectMergeStacktraces", { ...SELECTION, ...changes })).body.flamegraph.total;

    expect(await totalOf({ spanSelector: ["0000000000000007"] })).toBe("1");
    expect(await totalOf({ traceIdSelector: [TRACE.replaceAll("-", "")] })).toBe("2");
    expect(await totalOf({ profileIdSelector: ["00000000-0000-0000-0000-000000000001"] })).toBe("1");
    expect(await totalOf({ stackTraceSelector: { callSite: [{ name: "a" }, { name: "c" }] } })).toBe("2");
    expect(await totalOf({ stackTraceSelector: { callSite: [{ name: "c" }] } })).toBeUndefined();
  });

  it("names blocks that could not be read", async () => {
    fixture.store.missingBlocks = ["01AAA", "01BBB"];

    const { headers } = await call("SelectMergeStacktraces", SELECTION);

    expect(headers["x-pyroscope-partial"]).toBe("01AAA, 01BBB");
  });

  it.for([
    [{ start: 0 }, "missing time range in the query"],
    [{ start: T0 + 1001 }, "query start time is after end time"],
    [{ profile_typeID: "a:b" }, 'got(2): "a:b"'],
    [{ labelSelector: "" }, 'parsing label selector ""'],
    [{ maxNodes: 2_000_000 }, "max flamegraph nodes limit 2000000 is greater than allowed 1048576"],
    [{ maxNodes: "-1" }, "max flamegraph nodes limit must be set (max allowed 1048576)"],
    [{ spanSelector: ["x"] }, 'invalid span id length: "x"'],
  ] as const)("refuses %j with 400", async ([changes, message]) => {
    const { status, body } = await call("SelectMergeStacktraces", { ...SELECTION, ...changes });

    expect(status).toBe(400);
    expect(body.code).toBe("invalid_argument");
    expect(body.message).toContain(message);
  });

  it("is an error when a sum leaves int64, not a wrong number", async () => {
    const large = 2n ** 62n;
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: large } },
      { timeUnixNanos: nanosAt(2), stacks: { a: large } },
    ]);

    const { status, body } = await call("SelectMergeStacktraces", SELECTION);

    expect(status).toBe(400);
    expect(body.code).toBe("out_of_range");
  });

  it("speaks protobuf too", async () => {
    await addTwoStacks();
    const request = create(SelectMergeStacktracesRequestSchema, {
      profileTypeID: CPU_TYPE,
      labelSelector: "{}",
      start: BigInt(T0),
      end: BigInt(T0 + 1000),
    });

    const response = await server.app.inject({
      method: "POST",
      url: "/querier.v1.QuerierService/SelectMergeStacktraces",
      headers: { "content-type": "application/proto" },
      payload: Buffer.from(toBinary(SelectMergeStacktracesRequestSchema, request)),
    });

    const message = fromBinary(SelectMergeStacktracesResponseSchema, response.rawPayload);
    expect(message.flamegraph?.total).toBe(3n);
  });
});

describe("SelectMergeSpanProfile", () => {
  it("merges the samples of a span; of all without one", async () => {
    await addTwoStacks();

    const one = await call("SelectMergeSpanProfile", { ...SELECTION, spanSelector: ["0000000000000007"] });
    const all = await call("SelectMergeSpanProfile", { ...SELECTION, format: "PROFILE_FORMAT_TREE" });

    expect(one.body.flamegraph.total).toBe("1");
    expect(all.body.tree).toBeDefined();
  });
});

describe("SelectMergeProfile", () => {
  it("answers one merged pprof with one sample type", async () => {
    expect((await call("SelectMergeProfile", SELECTION)).body).toEqual({});
    await addTwoStacks();

    const { body } = await call("SelectMergeProfile", SELECTION);

    expect(body.sampleType).toHaveLength(1);
    expect(body.stringTable[body.sampleType[0].type]).toBe("cpu");
    expect(body.defaultSampleType).toBe(body.sampleType[0].type);
  });

  it("cuts to leaves for PGO and then ignores the call site", async () => {
    await addTwoStacks();

    const { body } = await call("SelectMergeProfile", {
      ...SELECTION,
      stackTraceSelector: {
        callSite: [{ name: "none" }],
        goPgo: { keepLocations: 1, aggregateCallees: true },
      },
    });

    expect(body.sample.map(({ locationId }: { locationId: string[] }) => locationId.length)).toEqual([1, 1]);
    // Line 3 of b is gone, and 0 is not written.
    expect(body.location.flatMap(({ line }: { line: object[] }) => line)).not.toContainEqual(
      expect.objectContaining({ line: "3" }),
    );
  });
});

describe("Diff", () => {
  it("lays two selections over each other", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { v: "1" }, stacks: { "a;b": 1, "a;c": 2 } },
      { timeUnixNanos: nanosAt(1), labels: { v: "2" }, stacks: { "a;b": 4, "a;c": 8 } },
    ]);

    const { body } = await call("Diff", {
      left: { ...SELECTION, labelSelector: '{v="1"}' },
      right: { ...SELECTION, labelSelector: '{v="2"}' },
    });

    expect(body.flamegraph).toMatchObject({
      names: ["total", "a", "c", "b"],
      total: "15",
      maxSelf: "8",
      leftTicks: "3",
      rightTicks: "12",
    });
    expect(body.flamegraph.levels[2].values.map(Number)).toEqual([0, 1, 1, 0, 4, 4, 3, 0, 2, 2, 0, 8, 8, 2]);
  });

  it("takes a missing side for an empty request, which lacks a range", async () => {
    const { status, body } = await call("Diff", { left: SELECTION });

    expect(status).toBe(400);
    expect(body.message).toContain("missing time range in the query");
  });
});

describe("labels", () => {
  it("names profile types in their parts", async () => {
    await addTwoStacks();

    const { body } = await call("ProfileTypes", RANGE);

    expect(body).toEqual({
      profileTypes: [
        {
          ID: CPU_TYPE,
          name: "process_cpu",
          sampleType: "cpu",
          sampleUnit: "nanoseconds",
          periodType: "cpu",
          periodUnit: "nanoseconds",
        },
      ],
    });
  });

  it("hides names that are not classic from clients that do not take them", async () => {
    await addTwoStacks();

    const plain = await call("LabelNames", RANGE);
    const capable = await call("LabelNames", RANGE, { accept: "*/*; allow-utf8-labelnames=true" });
    const broken = await call("LabelNames", RANGE, { accept: "a/b/c" });

    expect(plain.body.names).not.toContain("otel.scope.name");
    expect(capable.body.names).toContain("otel.scope.name");
    expect(broken).toMatchObject({ status: 400, body: { code: "invalid_argument" } });
  });

  it("lists values and series", async () => {
    await addTwoStacks();

    const values = await call("LabelValues", { ...RANGE, name: "env" });
    const series = await call("Series", { ...RANGE, labelNames: ["service_name", "__profile_type__"] });
    const none = await call("LabelValues", RANGE);

    expect(values.body).toEqual({ names: ["prod"] });
    expect(series.body).toEqual({
      labelsSet: [
        {
          labels: [
            { name: "__profile_type__", value: CPU_TYPE },
            { name: "service_name", value: "shop" },
          ],
        },
      ],
    });
    expect(none).toMatchObject({ status: 400, body: { message: "name is required" } });
  });

  it("takes names that are not classic out of a series request; nothing left means all", async () => {
    await addTwoStacks();

    const { body } = await call("Series", { ...RANGE, labelNames: ["otel.scope.name"] });

    expect(body.labelsSet[0].labels.length).toBeGreaterThan(5);
  });
});

describe("SelectSeries", () => {
  it("answers points in milliseconds and doubles", async () => {
    await addTwoStacks();

    const { body } = await call("SelectSeries", { ...SELECTION, step: 0.29, groupBy: ["env"] });

    expect(body).toEqual({
      series: [
        { points: [{ timestamp: String(T0 + 290), value: 2 }] },
        { labels: [{ name: "env", value: "prod" }], points: [{ timestamp: String(T0 + 290), value: 1 }] },
      ],
    });
  });

  it("averages when asked to, and keeps the largest series", async () => {
    await addTwoStacks();
    const query = { ...SELECTION, step: 1 };

    const average = await call("SelectSeries", {
      ...query,
      aggregation: "TIME_SERIES_AGGREGATION_TYPE_AVERAGE",
    });
    const top = await call("SelectSeries", { ...query, groupBy: ["env"], limit: 1 });

    expect(average.body.series[0].points[0].value).toBe(1.5);
    expect(top.body.series).toHaveLength(1);
  });

  it("names an exemplar, and refuses those of spans and a step below 1 ms", async () => {
    await addTwoStacks();
    const query = { ...SELECTION, step: 1 };

    const individual = await call("SelectSeries", { ...query, exemplarType: "EXEMPLAR_TYPE_INDIVIDUAL" });
    const span = await call("SelectSeries", { ...query, exemplarType: "EXEMPLAR_TYPE_SPAN" });
    const fine = await call("SelectSeries", { ...query, step: 0.0009 });

    expect(individual.body.series[0].points[0].exemplars).toEqual([
      expect.objectContaining({
        timestamp: String(T0 + 2),
        profileId: "00000000-0000-0000-0000-000000000002",
        value: "2",
      }),
    ]);
    expect(span).toMatchObject({ status: 501, body: { message: "exemplar type span is not implemented" } });
    expect(fine).toMatchObject({ status: 400, body: { message: "step must be >= 1ms" } });
  });
});

describe("the rest", () => {
  it("answers statistics, an empty analysis, and unimplemented for what is not there", async () => {
    await addTwoStacks();

    expect((await call("GetProfileStats", {})).body).toEqual({
      dataIngested: true,
      oldestProfileTime: "1",
      newestProfileTime: "2",
    });
    expect(await call("AnalyzeQuery", {})).toMatchObject({ status: 200, body: {} });
    expect(await call("SelectHeatmap", {})).toMatchObject({ status: 501, body: { code: "unimplemented" } });
  });

  it("merges tenants on reads and wants one for statistics", async () => {
    await server.app.close();
    server = await createTestApp({
      storage: spreadable(fixture.queries),
      flags: { "auth.multitenancy-enabled": "true" },
    });
    const several = { "x-scope-orgid": "b|a" };

    expect((await call("SelectMergeStacktraces", SELECTION, several)).status).toBe(200);
    expect(fixture.store.snapshots.at(-1)?.tenants).toEqual(["a", "b"]);
    expect(await call("GetProfileStats", {}, several)).toMatchObject({
      status: 400,
      body: { message: "expected 1 tenant, got 2" },
    });
  });
});
