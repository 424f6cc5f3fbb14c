import { describe, expect, it } from "vitest";
import type { QueryService } from "../../query/query-service.ts";
import { countQueries } from "./counted-queries.ts";

describe("countQueries", () => {
  it("counts every query while it runs, whether it is answered or not", async () => {
    let running = 0;
    const counts: number[] = [];
    const gauge = { inc: () => counts.push(++running), dec: () => counts.push(--running) };
    const queries = new Proxy({} as QueryService, {
      get: (_target, name) => async () => {
        if (name === "series") throw new Error("broken");
      },
    });
    const { profileStats, ...methods } = countQueries(queries, gauge);

    for (const method of Object.values(methods)) {
      await (method as (query: unknown) => Promise<unknown>)({}).catch(() => undefined);
    }

    expect(counts).toEqual(Object.keys(methods).flatMap(() => [1, 0]));
    expect(profileStats).toBeDefined();
  });
});
