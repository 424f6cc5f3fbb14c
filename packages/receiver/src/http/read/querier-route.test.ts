import {
  create,
  fromBinary,
  SelectMergeStacktracesRequestSchema,
  SelectMergeStacktracesResponseSchema,
  toBinary,
} from "@pyroscope-ts/protocol/messages";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nanosAt, T0 } from "../../query/testing/query-fixture.ts";
import { CPU_TYPE } from "../../query/testing/table-store.ts";
import {
  addTwoStacks,
  createQueryServer,
  type QueryServer,
  SELECTION,
  TRACE,
} from "../testing/query-server.ts";

let server: QueryServer;
let call: QueryServer["call"];

beforeEach(async () => {
  server = await createQueryServer();
  call = server.call;
});

afterEach(async () => {
  await server.close();
});

describe("SelectMergeStacktraces", () => {
  it("answers a flame graph with int64 as text", async () => {
    await addTwoStacks(server.fixture.store);

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

    await addTwoStacks(server.fixture.store);
    const { body } = await call("SelectMergeStacktraces", tree);

    expect(Buffer.from(body.tree, "base64").toString("hex")).toBe(
      "000001" + "01610002" + "01630200" + "01620100",
    );
  });

  it("answers a pprof message, empty where there is no data", async () => {
    const pprof = { ...SELECTION, format: "PROFILE_FORMAT_PPROF", maxNodes: 1 };
    expect((await call("SelectMergeStacktraces", pprof)).body).toEqual({ pprof: { profile: {} } });

    await addTwoStacks(server.fixture.store);
    const { profile } = (await call("SelectMergeStacktraces", pprof)).body.pprof;

    expect(profile.sample.map(({ value }: { value: string[] }) => value[0]).sort()).toEqual(["1", "2"]);
    expect(profile.stringTable).toContain("x.js");
    expect(profile).toMatchObject({ timeNanos: String(nanosAt(1000)), period: "1000000000" });
  });

  it("answers a call graph as text, none where there is no data", async () => {
    const dot = { ...SELECTION, format: "PROFILE_FORMAT_DOT" };
    expect((await call("SelectMergeStacktraces", dot)).body).toEqual({});

    await addTwoStacks(server.fixture.store);
    const { body } = await call("SelectMergeStacktraces", { ...dot, maxNodes: 1 });

    expect(body.dot).toContain("a\\n0ns (0%) of 3ns (100%)");
    expect(body.dot).not.toContain("->");
  });

  it("narrows by spans, traces, profiles and call site", async () => {
    await addTwoStacks(server.fixture.store);
    const totalOf = async (changes: object) =>
      (await call("SelectMergeStacktraces", { ...SELECTION, ...changes })).body.flamegraph.total;

    expect(await totalOf({ spanSelector: ["0000000000000007"] })).toBe("1");
    expect(await totalOf({ traceIdSelector: [TRACE.replaceAll("-", "")] })).toBe("2");
    expect(await totalOf({ profileIdSelector: ["00000000-0000-0000-0000-000000000001"] })).toBe("1");
    expect(await totalOf({ stackTraceSelector: { callSite: [{ name: "a" }, { name: "c" }] } })).toBe("2");
    expect(await totalOf({ stackTraceSelector: { callSite: [{ name: "c" }] } })).toBeUndefined();
  });

  it("names blocks that could not be read", async () => {
    server.fixture.store.missingBlocks = ["01AAA", "01BBB"];

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
    await server.fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: large } },
      { timeUnixNanos: nanosAt(2), stacks: { a: large } },
    ]);

    const { status, body } = await call("SelectMergeStacktraces", SELECTION);

    expect(status).toBe(400);
    expect(body.code).toBe("out_of_range");
  });

  it("speaks protobuf too", async () => {
    await addTwoStacks(server.fixture.store);
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
    await addTwoStacks(server.fixture.store);

    const one = await call("SelectMergeSpanProfile", { ...SELECTION, spanSelector: ["0000000000000007"] });
    const all = await call("SelectMergeSpanProfile", { ...SELECTION, format: "PROFILE_FORMAT_TREE" });

    expect(one.body.flamegraph.total).toBe("1");
    expect(all.body.tree).toBeDefined();
  });
});

describe("SelectMergeProfile", () => {
  it("answers one merged pprof with one sample type", async () => {
    expect((await call("SelectMergeProfile", SELECTION)).body).toEqual({});
    await addTwoStacks(server.fixture.store);

    const { body } = await call("SelectMergeProfile", SELECTION);

    expect(body.sampleType).toHaveLength(1);
    expect(body.stringTable[body.sampleType[0].type]).toBe("cpu");
    expect(body.defaultSampleType).toBe(body.sampleType[0].type);
  });

  it("cuts to leaves for PGO and then ignores the call site", async () => {
    await addTwoStacks(server.fixture.store);

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
    await server.fixture.store.add([
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
