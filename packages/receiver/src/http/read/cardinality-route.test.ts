import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../../query/testing/query-fixture.ts";
import { addTwoStacks, createQueryServer, type QueryServer } from "../testing/query-server.ts";

let server: QueryServer;

beforeEach(async () => {
  server = await createQueryServer();
  await addTwoStacks(server.fixture.store);
});

afterEach(async () => {
  await server.close();
});

async function get(parameters: Record<string, string>) {
  return await server.app.inject({ url: `/api/v1/cardinality?${new URLSearchParams(parameters)}` });
}

describe("GET /api/v1/cardinality", () => {
  it("counts series and labels of a range, narrowed by a selector", async () => {
    const range = { from: String(T0), until: String(T0 + 1000) };

    const all = await get(range);
    const one = await get({ ...range, query: '{env="prod"}' });

    expect(all.headers["x-pyroscope-resolution"]).toBe("raw");
    expect(all.json()).toMatchObject({ seriesCount: 2 });
    expect(one.json()).toMatchObject({
      seriesCount: 1,
      labels: [{ name: "__name__" }, { name: "env" }, { name: "service_name" }],
    });
  });

  it("looks at the hour before its end when it has no beginning", async () => {
    expect((await get({ until: String(T0 + 1000) })).json().seriesCount).toBe(2);
    expect((await get({ until: String(T0 - 1) })).json().seriesCount).toBe(0);
  });

  it("refuses a selector that it cannot read", async () => {
    const response = await get({ query: "{" });

    expect([response.statusCode, response.json().code]).toEqual([400, "invalid_argument"]);
  });
});
