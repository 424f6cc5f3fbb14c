import { gunzipSync } from "node:zlib";
import { decodePprof, decodeTree } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createQueryFixture,
  nanosAt,
  type QueryFixture,
  spreadable,
  T0,
} from "../../query/testing/query-fixture.ts";
import { CPU_TYPE } from "../../query/testing/table-store.ts";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";

const HOUR_MS = 3_600_000;
const HEAP_TYPE = "memory:inuse_objects:count:space:bytes";

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

async function get(path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) {
  const url = `${path}?${new URLSearchParams(parameters)}`;
  return await server.app.inject({ method: "GET", url, headers });
}

/** An hour from T0 on. */
const RENDER = { query: `${CPU_TYPE}{}`, from: String(T0), until: String(T0 + HOUR_MS) };

async function addTwoStacks(): Promise<void> {
  await fixture.store.add([
    { timeUnixNanos: nanosAt(1), labels: { env: "prod" }, stacks: { "a;b": 1 } },
    { timeUnixNanos: nanosAt(20_000), stacks: { "a;c": 2 } },
  ]);
}

describe("GET /render", () => {
  it.for(["/render", "/pyroscope/render"])("answers flamebearer and timeline at %s", async (path) => {
    await addTwoStacks();

    const response = await get(path, RENDER);

    expect(response.statusCode).toBe(200);
    expect(response.headers["x-pyroscope-resolution"]).toBe("raw");
    const { timeline, ...rest } = response.json();
    expect(rest).toEqual({
      version: 1,
      flamebearer: {
        names: ["total", "a", "c", "b"],
        levels: [
          [0, 3, 0, 0],
          [0, 3, 0, 1],
          [0, 1, 1, 3, 0, 2, 2, 2],
        ],
        numTicks: 3,
        maxSelf: 2,
      },
      metadata: { format: "single", spyName: "", sampleRate: 1_000_000_000, units: "samples", name: "cpu" },
      groups: null,
      heatmap: null,
    });
    // One hour in steps of 15 s; a profile counts at the right edge of its step.
    expect(timeline).toMatchObject({ startTime: T0 / 1000, durationDelta: 15, watermarks: null });
    expect(timeline.samples).toHaveLength(240);
    expect(timeline.samples.slice(0, 4)).toEqual([0, 1, 2, 0]);
  });

  it("has a main timeline beside those of groups, and a group for series without the label", async () => {
    await addTwoStacks();

    const { timeline, groups } = (await get("/render", { ...RENDER, groupBy: "env" })).json();

    expect(timeline.samples.slice(0, 3)).toEqual([0, 1, 2]);
    expect(Object.keys(groups).sort()).toEqual(["*", "prod"]);
    expect(groups.prod.samples.slice(0, 3)).toEqual([0, 1, 0]);
    expect(groups["*"].samples.slice(0, 3)).toEqual([0, 0, 2]);
  });

  it("averages instant types on the timeline and sums their flame graph", async () => {
    await fixture.store.add([
      { type: HEAP_TYPE, timeUnixNanos: nanosAt(1), stacks: { a: 10 } },
      { type: HEAP_TYPE, timeUnixNanos: nanosAt(2), stacks: { a: 30 } },
    ]);
    const query = { ...RENDER, query: `${HEAP_TYPE}{}` };

    const natural = (await get("/render", query)).json();
    const summed = (await get("/render", { ...query, aggregation: "sum" })).json();

    expect(natural.flamebearer.numTicks).toBe(40);
    expect(natural.metadata).toMatchObject({ units: "objects", sampleRate: 100, name: "inuse_objects" });
    expect(natural.timeline.samples[1]).toBe(20);
    expect(summed.timeline.samples[1]).toBe(40);
  });

  it("takes `to` for `until`, and refuses two that differ", async () => {
    await addTwoStacks();
    const { until, ...open } = RENDER;

    const to = await get("/render", { ...open, to: until });
    const both = await get("/render", { ...open, to: until, until });
    const differing = await get("/render", { ...open, to: until, until: "now" });

    expect(to.json().flamebearer.numTicks).toBe(3);
    expect(both.statusCode).toBe(200);
    expect(differing.statusCode).toBe(400);
    expect(differing.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining('"to"'),
    });
  });

  it("takes a range that begins with the epoch's first seconds", async () => {
    await addTwoStacks();

    const response = await get("/render", { ...RENDER, from: "1" });

    expect(response.statusCode).toBe(200);
    expect(response.json().flamebearer.numTicks).toBe(3);
    expect(response.json().timeline.startTime).toBe(0);
  });

  it("is an empty graph without from, and reads relative times", async () => {
    const empty = await get("/render", { query: CPU_TYPE });
    await get("/render", { query: CPU_TYPE, from: "now-1h" });

    expect(empty.json().flamebearer).toEqual({
      names: ["total"],
      levels: [[0, 0, 0, 0]],
      numTicks: 0,
      maxSelf: 0,
    });
    const [range] = fixture.store.snapshots.slice(-2);
    expect(range?.fromUnixNanos).toBe(BigInt(1_700_000_000_000 - HOUR_MS) * 1_000_000n);
  });

  it.for([
    [{ maxNodes: "1" }, 1],
    [{ "max-nodes": "1" }, 1],
    [{ maxNodes: "2", "max-nodes": "1" }, 2],
    [{ maxNodes: "garbage" }, 3],
    [{ maxNodes: "0" }, 3],
  ] as const)("cuts to %j", async ([parameters, nodeCount]) => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { a: 100, b: 20, c: 3 } }]);

    const { flamebearer } = (await get("/render", { ...RENDER, ...parameters })).json();

    const kept = flamebearer.names.filter((name: string) => name !== "total" && name !== "other");
    expect(kept).toHaveLength(nodeCount);
  });

  it.for([
    [{ query: "" }, '"query" is required'],
    [{ query: `${CPU_TYPE}{` }, 'failed to parse "query"'],
    [{ query: '{env="x"}' }, '"query" must contain a profile-type selection'],
    [{ query: "cpu{}" }, 'failed to parse "query"'],
    [{ from: "0" }, "missing time range in the query"],
    [{ maxNodes: "9999999" }, "max flamegraph nodes limit 9999999 is greater than allowed 1048576"],
    [{ format: "svg" }, "format svg is not available: use json, pprof, collapsed, tree, dot, speedscope"],
    [{ format: "dot", maxNodes: "9999999" }, "max flamegraph nodes limit 9999999"],
  ] as const)("refuses %j with 400", async ([changes, message]) => {
    const response = await get("/render", { ...RENDER, ...changes });

    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(message),
    });
  });

  it("answers JSON to a format that nobody knows", async () => {
    expect((await get("/render", { ...RENDER, format: "xyz" })).json().version).toBe(1);
  });

  it("gives a call graph of as many functions as asked for, and an empty text where there is no data", async () => {
    const empty = await get("/render", { ...RENDER, format: "dot" });
    await addTwoStacks();

    const whole = await get("/render", { ...RENDER, format: "dot" });
    const cut = await get("/render", { ...RENDER, format: "dot", "max-nodes": "2" });

    expect([empty.statusCode, empty.headers["content-type"], empty.body]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "",
    ]);
    expect(whole.body).toMatch(/^digraph "process_cpu:cpu:nanoseconds:cpu:nanoseconds" \{\n/);
    expect(whole.body.match(/^N\d+ \[/gm)).toHaveLength(3);
    expect(cut.body.match(/^N\d+ \[/gm)).toHaveLength(2);
  });

  it("gives a speedscope file, a whole one where there is no data too", async () => {
    const empty = await get("/render", { ...RENDER, format: "speedscope" });
    await addTwoStacks();

    const response = await get("/render", { ...RENDER, format: "speedscope" });

    expect(response.headers["content-disposition"]).toContain(".speedscope.json");
    expect(response.json().profiles).toMatchObject([{ unit: "nanoseconds", endValue: 3, weights: [1, 2] }]);
    expect(empty.json().profiles).toMatchObject([{ endValue: 0, weights: [] }]);
  });

  it("gives a gzipped pprof as a file, never compressed twice", async () => {
    await addTwoStacks();

    const response = await get("/render", { ...RENDER, format: "pprof" }, { "accept-encoding": "gzip" });

    expect(response.headers["content-type"]).toBe("application/octet-stream");
    expect(response.headers["content-encoding"]).toBeUndefined();
    expect(response.headers["content-disposition"]).toBe(
      `attachment; filename="cpu-${T0}-${T0 + HOUR_MS}.pb.gz"`,
    );
    const profile = decodePprof(gunzipSync(response.rawPayload));
    expect([...profile.samples.values].sort()).toEqual([1n, 2n]);
  });

  it("gives collapsed text and tree bytes", async () => {
    await addTwoStacks();

    const text = await get("/render", { ...RENDER, format: "collapsed" });
    const tree = await get("/render", { ...RENDER, format: "tree" });

    expect(text.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(text.body).toBe("a;b 1\na;c 2\n");
    expect(tree.headers["content-type"]).toBe("application/vnd.pyroscope.tree");
    expect(decodeTree(tree.rawPayload).total[0]).toBe(3);
  });

  it("tells lines apart with frames=line", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { "f@x.js:1": 1, "f@x.js:2": 2 } }]);

    const { flamebearer } = (await get("/render", { ...RENDER, frames: "line" })).json();

    expect(flamebearer.names).toEqual(["total", "f x.js:2", "f x.js:1"]);
  });
});

describe("GET /render-diff", () => {
  const SIDES = {
    leftQuery: `${CPU_TYPE}{env="prod"}`,
    leftFrom: RENDER.from,
    leftUntil: RENDER.until,
    rightQuery: `${CPU_TYPE}{env=""}`,
    rightFrom: RENDER.from,
    rightTo: RENDER.until,
  };

  it.for(["/render-diff", "/pyroscope/render-diff"])("answers a double flamebearer at %s", async (path) => {
    await addTwoStacks();

    const response = await get(path, SIDES);

    expect(response.json()).toEqual({
      version: 1,
      flamebearer: {
        names: ["total", "a", "c", "b"],
        levels: [
          [0, 1, 0, 0, 2, 0, 0],
          [0, 1, 0, 0, 2, 0, 1],
          [0, 1, 1, 0, 0, 0, 3, 0, 0, 0, 0, 2, 2, 2],
        ],
        numTicks: 3,
        maxSelf: 2,
      },
      metadata: { format: "double", spyName: "", sampleRate: 1_000_000_000, units: "samples", name: "cpu" },
      timeline: null,
      groups: null,
      heatmap: null,
      leftTicks: 1,
      rightTicks: 2,
    });
  });

  it("leaves a side's ticks out when they are 0", async () => {
    const body = (await get("/render-diff", SIDES)).json();

    expect(body).not.toHaveProperty("leftTicks");
    expect(body).not.toHaveProperty("rightTicks");
  });

  it.for([
    [{ rightQuery: `${HEAP_TYPE}{}` }, "profile types must match"],
    [{ leftQuery: "" }, '"leftQuery" is required'],
    [{ format: "pprof" }, "format pprof is not available for a diff"],
    [{ rightUntil: "now" }, '"rightUntil"'],
  ] as const)("refuses %j with 400", async ([changes, message]) => {
    const response = await get("/render-diff", { ...SIDES, ...changes });

    expect(response.statusCode).toBe(400);
    expect(response.json().message).toContain(message);
  });
});

describe("GET /label-values", () => {
  const RANGE = { from: String(T0), until: String(T0 + HOUR_MS) };

  it.for(["/label-values", "/pyroscope/label-values"])(
    "lists profile types for __name__ at %s",
    async (path) => {
      await addTwoStacks();

      const response = await get(path, { label: "__name__", ...RANGE });

      expect(response.headers["content-type"]).toContain("application/json");
      expect(response.json()).toEqual([CPU_TYPE]);
    },
  );

  it("lists the values of any label, narrowed by a selector, null where there are none", async () => {
    await addTwoStacks();

    expect((await get("/label-values", { label: "env", ...RANGE })).json()).toEqual(["prod"]);
    expect((await get("/label-values", { label: "env", query: '{env=""}', ...RANGE })).json()).toBeNull();
    expect((await get("/label-values", { label: "none", ...RANGE })).body).toBe("null");
  });

  it("looks at the hour before until without from", async () => {
    await addTwoStacks();

    const response = await get("/label-values", { label: "service_name", until: String(T0 + HOUR_MS) });

    expect(response.json()).toEqual(["shop"]);
    expect(fixture.store.snapshots.at(-1)?.fromUnixNanos).toBe(nanosAt(0));
  });

  it("wants a label", async () => {
    const response = await get("/label-values", {});

    expect(response.statusCode).toBe(400);
    expect(response.json().message).toBe("label parameter is required");
  });
});
