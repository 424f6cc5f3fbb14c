import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../../query/testing/query-fixture.ts";
import { CPU_TYPE } from "../../query/testing/table-store.ts";
import {
  addTwoStacks,
  createQueryServer,
  type QueryServer,
  RANGE,
  SELECTION,
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

describe("labels", () => {
  it("names profile types in their parts", async () => {
    await addTwoStacks(server.fixture.store);

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
    await addTwoStacks(server.fixture.store);

    const plain = await call("LabelNames", RANGE);
    const capable = await call("LabelNames", RANGE, { accept: "*/*; allow-utf8-labelnames=true" });
    const broken = await call("LabelNames", RANGE, { accept: "a/b/c" });

    expect(plain.body.names).not.toContain("otel.scope.name");
    expect(capable.body.names).toContain("otel.scope.name");
    expect(broken).toMatchObject({ status: 400, body: { code: "invalid_argument" } });
  });

  it("lists values and series", async () => {
    await addTwoStacks(server.fixture.store);

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
    await addTwoStacks(server.fixture.store);

    const { body } = await call("Series", { ...RANGE, labelNames: ["otel.scope.name"] });

    expect(body.labelsSet[0].labels.length).toBeGreaterThan(5);
  });
});

describe("SelectSeries", () => {
  it("answers points in milliseconds and doubles", async () => {
    await addTwoStacks(server.fixture.store);

    const { body } = await call("SelectSeries", { ...SELECTION, step: 0.29, groupBy: ["env"] });

    expect(body).toEqual({
      series: [
        { points: [{ timestamp: String(T0 + 290), value: 2 }] },
        { labels: [{ name: "env", value: "prod" }], points: [{ timestamp: String(T0 + 290), value: 1 }] },
      ],
    });
  });

  it("averages when asked to, and keeps the largest series", async () => {
    await addTwoStacks(server.fixture.store);
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
    await addTwoStacks(server.fixture.store);
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
  it("answers statistics", async () => {
    await addTwoStacks(server.fixture.store);

    expect((await call("GetProfileStats", {})).body).toEqual({
      dataIngested: true,
      oldestProfileTime: "1",
      newestProfileTime: "2",
    });
  });

  it("merges tenants on reads and wants one for statistics", async () => {
    const several = { "x-scope-orgid": "b|a" };
    await server.close();
    server = await createQueryServer({ "auth.multitenancy-enabled": "true" });
    call = server.call;

    expect((await call("SelectMergeStacktraces", SELECTION, several)).status).toBe(200);
    expect(server.fixture.store.snapshots.at(-1)?.tenants).toEqual(["a", "b"]);
    expect(await call("GetProfileStats", {}, several)).toMatchObject({
      status: 400,
      body: { message: "expected 1 tenant, got 2" },
    });
  });
});
