import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { createTestApp } from "../../testing/create-test-app.ts";

const RANGE = { start: 1_699_999_000_000, end: 1_700_000_000_000 };
const SERVICES = ["cart", "probe", "shop"];

async function start() {
  const answer = { missingBlocks: [], resolution: "raw" };
  const { app } = await createTestApp({
    flags: { "hide-applications": "probe, other" },
    storage: {
      labelValues: async () => ({ ...answer, value: SERVICES }),
      series: async () => ({
        ...answer,
        value: SERVICES.map((name) => labelSetFromRecord({ service_name: name, env: "prod" })),
      }),
    },
  });
  return {
    async call(method: string, message: object): Promise<string> {
      const url = `/querier.v1.QuerierService/${method}`;
      const response = await app.inject({ method: "POST", url, payload: { ...RANGE, ...message } });
      return response.body;
    },
    get: async (url: string) => (await app.inject({ url })).json(),
  };
}

describe("--hide-applications", () => {
  it("takes applications out of lists of services", async () => {
    const { call, get } = await start();

    expect(JSON.parse(await call("LabelValues", { name: "service_name" }))).toEqual({
      names: ["cart", "shop"],
    });
    expect(await get("/label-values?label=service_name")).toEqual(["cart", "shop"]);
    const series = await call("Series", { labelNames: ["service_name"], matchers: ['{env="prod"}'] });
    expect(Array.from(series.matchAll(/cart|probe|shop/g), ([name]) => name)).toEqual(["cart", "shop"]);
  });

  it("gives them to whoever names them, and leaves other labels alone", async () => {
    const { call } = await start();
    const matchers = ['{service_name="probe"}'];

    expect(await call("LabelValues", { name: "service_name", matchers })).toContain("probe");
    expect(await call("Series", { labelNames: ["service_name"], matchers })).toContain("probe");
    expect(await call("LabelValues", { name: "env" })).toContain("probe");
  });
});
