import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nanosAt, T0 } from "../../query/testing/query-fixture.ts";
import { createQueryServer, type QueryServer, SELECTION } from "../testing/query-server.ts";

let server: QueryServer;

beforeEach(async () => {
  server = await createQueryServer();
});

afterEach(async () => {
  await server.close();
});

const HEATMAP = { ...SELECTION, step: 1, queryType: "HEATMAP_QUERY_TYPE_INDIVIDUAL" };

describe("SelectHeatmap", () => {
  it("answers slots of twenty cells, with exemplars when they are asked for", async () => {
    await server.fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { pod: "a" }, stacks: { a: 20 }, spanId: 7n },
      { timeUnixNanos: nanosAt(2), labels: { pod: "a" }, stacks: { a: 40 } },
    ]);

    const plain = await server.call("SelectHeatmap", { ...HEATMAP, groupBy: ["pod"] });
    const spans = await server.call("SelectHeatmap", {
      ...HEATMAP,
      queryType: "HEATMAP_QUERY_TYPE_SPAN",
      exemplarType: "EXEMPLAR_TYPE_SPAN",
    });

    expect(plain.status).toBe(200);
    expect(plain.body.series).toEqual([
      {
        labels: [{ name: "pod", value: "a" }],
        slots: [
          {
            timestamp: String(T0 + 1000),
            yMin: Array.from({ length: 20 }, (_, cell) => 20 + cell),
            counts: [1, ...new Array<number>(18).fill(0), 1],
          },
        ],
      },
    ]);
    expect(spans.body.series[0].slots[0].exemplars).toMatchObject([
      { spanId: "0000000000000007", value: "20", timestamp: String(T0 + 1) },
    ]);
  });

  it("answers nothing where there is no data", async () => {
    expect((await server.call("SelectHeatmap", HEATMAP)).body).toEqual({});
  });

  it.for([
    [{ step: 0 }, "step must be >= 1ms, got 0.000000"],
    [{ limit: -1 }, "limit must be non-negative, got -1"],
    [{ start: 0, end: 0 }, "start time must be before end time, got start=0 end=0"],
    [{ start: 5, end: 5 }, "start time must be before end time, got start=5 end=5"],
    [{ start: 0 }, "missing time range in the query"],
    [{ profile_typeID: "a:b" }, 'got(2): "a:b"'],
    [{ queryType: 0 }, "valid heatmap query type must be specified"],
    [
      { queryType: 2, exemplarType: "EXEMPLAR_TYPE_INDIVIDUAL" },
      "individual exemplars only available for individual query type",
    ],
    [{ exemplarType: "EXEMPLAR_TYPE_SPAN" }, "span exemplars only available for span query type"],
    [{ labelSelector: "" }, 'parsing label selector ""'],
  ] as const)("refuses %j with 400", async ([changes, message]) => {
    const { status, body } = await server.call("SelectHeatmap", { ...HEATMAP, ...changes });

    expect([status, body.code]).toEqual([400, "invalid_argument"]);
    expect(body.message).toContain(message);
  });
});

describe("AnalyzeQuery", () => {
  it("tells what a query would read", async () => {
    const sizes = { samples: 100, totals: 20, series: 3, stacks: 40, frames: 5 };
    server.fixture.store.blockSizes = [sizes];
    await server.fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { a: 1, b: 2 } }]);

    const { body } = await server.call("AnalyzeQuery", {
      start: SELECTION.start,
      end: SELECTION.end,
      query: `${SELECTION.profile_typeID}{service_name="shop"}`,
    });

    expect(body).toEqual({
      queryScopes: [
        {
          componentType: "Storage",
          componentCount: "1",
          blockCount: "1",
          seriesCount: "1",
          profileCount: "1",
          sampleCount: "2",
          indexBytes: "3",
          profileBytes: "120",
          symbolBytes: "45",
        },
      ],
      queryImpact: { totalBytesInTimeRange: "168", totalQueriedSeries: "1" },
    });
  });
});
