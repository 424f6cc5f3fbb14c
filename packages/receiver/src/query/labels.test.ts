import { formatLabels } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabelNamesQuery } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, T0 } from "./testing/query-fixture.ts";
import { CPU_TYPE } from "./testing/table-store.ts";

const WALL_TYPE = "wall:wall:nanoseconds:wall:nanoseconds";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
  await fixture.store.add([
    { timeUnixNanos: nanosAt(1), labels: { env: "prod" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(2), labels: { env: "stage", "dotted.name": "é" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(3), labels: { env: "prod" }, type: WALL_TYPE, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(4), labels: { service_name: "cart", env: "\u{1f600}" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(5), labels: { service_name: "cart", env: "\uffee" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(5000), labels: { late: "x" }, stacks: { a: 1 } },
  ]);
});

afterEach(async () => {
  await fixture.store.close();
});

function labelQuery(changes: Partial<LabelNamesQuery> = {}): LabelNamesQuery {
  return {
    tenants: ["anonymous"],
    startUnixMillis: T0,
    endUnixMillis: T0 + 1000,
    selectors: [],
    ...changes,
  };
}

describe("profileTypes", () => {
  it("lists the types that have a profile in the range, in order", async () => {
    const { value } = await fixture.queries.profileTypes(labelQuery());
    const later = await fixture.queries.profileTypes(labelQuery({ startUnixMillis: T0 + 4 }));

    expect(value).toEqual([CPU_TYPE, WALL_TYPE]);
    expect(later.value).toEqual([CPU_TYPE]);
  });

  it("looks at the last hour without a range, and refuses half a range", async () => {
    const open = await fixture.queries.profileTypes({
      ...labelQuery(),
      startUnixMillis: 0,
      endUnixMillis: 0,
    });

    expect(open.value).toEqual([CPU_TYPE, WALL_TYPE]);
    expect(fixture.store.snapshots.at(-1)?.untilUnixNanos).toBe(nanosAt(60_000) + 999_999n);
    await expect(fixture.queries.profileTypes(labelQuery({ startUnixMillis: 0 }))).rejects.toThrow(
      "missing time range in the query",
    );
  });
});

describe("labelNames", () => {
  it("lists the labels of series with a profile in the range, internal ones included", async () => {
    const { value } = await fixture.queries.labelNames(labelQuery());

    expect(value).toEqual([
      "__name__",
      "__period_type__",
      "__period_unit__",
      "__profile_type__",
      "__service_name__",
      "__type__",
      "__unit__",
      "dotted.name",
      "env",
      "service_name",
    ]);
  });

  it("wants every selector to hold", async () => {
    const selectors = ['{service_name="shop"}', '{env=~"pr.*"}', `{__profile_type__="${CPU_TYPE}"}`];
    const { value } = await fixture.queries.labelNames(labelQuery({ selectors }));

    expect(value).not.toContain("dotted.name");
    expect(value).toContain("env");
  });

  it("is empty where nothing matches", async () => {
    const { value } = await fixture.queries.labelNames(labelQuery({ selectors: ['{env="none"}'] }));

    expect(value).toEqual([]);
  });
});

describe("labelValues", () => {
  it.for([
    ["env", ["prod", "stage", "\uffee", "\u{1f600}"]],
    ["service_name", ["cart", "shop"]],
    ["__service_name__", ["cart", "shop"]],
    ["__name__", ["process_cpu", "wall"]],
    ["__profile_type__", [CPU_TYPE, WALL_TYPE]],
    ["__type__", ["cpu", "wall"]],
    ["__unit__", ["nanoseconds"]],
    ["__period_type__", ["cpu", "wall"]],
    ["__period_unit__", ["nanoseconds"]],
    ["dotted.name", ["é"]],
    ["late", []],
    ["no'such\"name", []],
  ] as const)("lists the values of %s in byte order", async ([name, values]) => {
    const { value } = await fixture.queries.labelValues({ ...labelQuery(), name });

    expect(value).toEqual(values);
  });

  it("narrows by type and labels at once", async () => {
    const selectors = [`{__type__="wall",env!="stage"}`];
    const { value } = await fixture.queries.labelValues({ ...labelQuery({ selectors }), name: "__name__" });

    expect(value).toEqual(["wall"]);
  });

  it("asks for the range first and the name then", async () => {
    const { queries } = fixture;
    const nameless = { ...labelQuery(), name: "" };

    await expect(queries.labelValues({ ...nameless, startUnixMillis: 0 })).rejects.toThrow("missing time");
    await expect(queries.labelValues(nameless)).rejects.toThrow("name is required");
  });
});

describe("series", () => {
  it("lists the distinct combinations of the asked labels, lacking ones left out", async () => {
    const { value } = await fixture.queries.series({
      ...labelQuery(),
      labelNames: ["service_name", "__profile_type__", "dotted.name"],
    });

    expect(value.map(formatLabels)).toEqual([
      `{__profile_type__="${CPU_TYPE}", dotted.name="é", service_name="shop"}`,
      `{__profile_type__="${CPU_TYPE}", service_name="cart"}`,
      `{__profile_type__="${CPU_TYPE}", service_name="shop"}`,
      `{__profile_type__="${WALL_TYPE}", service_name="shop"}`,
    ]);
  });

  it("lists whole label sets when none is asked for", async () => {
    const { value } = await fixture.queries.series({
      ...labelQuery({ selectors: ['{__type__="wall"}'] }),
      labelNames: [],
    });

    expect(value.map(formatLabels)).toEqual([
      `{__name__="wall", __period_type__="wall", __period_unit__="nanoseconds", ` +
        `__profile_type__="${WALL_TYPE}", __service_name__="shop", __type__="wall", __unit__="nanoseconds", ` +
        `env="prod", service_name="shop"}`,
    ]);
  });

  it("leaves out sets without any of the asked labels", async () => {
    const { value } = await fixture.queries.series({
      ...labelQuery(),
      labelNames: ["dotted.name", "dotted.name"],
    });

    expect(value.map(formatLabels)).toEqual(['{dotted.name="é"}']);
  });
});

describe("profileStats", () => {
  it("says what the store says", async () => {
    expect(await fixture.queries.profileStats({ tenant: "anonymous" })).toEqual({
      dataIngested: true,
      oldestUnixMillis: 1,
      newestUnixMillis: 2,
    });
  });
});
