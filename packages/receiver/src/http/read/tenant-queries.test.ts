import { describe, expect, it } from "vitest";
import { parseOverrides } from "../../config/overrides.ts";
import type { QueryOptions, QueryService } from "../../query/query-service.ts";
import { createQueryFixture, nanosAt, spreadable, stackQuery } from "../../query/testing/query-fixture.ts";
import { createTestApp } from "../../testing/create-test-app.ts";
import { SELECTION } from "../testing/query-server.ts";
import { bindQueries } from "./tenant-queries.ts";

describe("bindQueries", () => {
  it("gives every query the limits of its tenants, and keeps its signal", async () => {
    const asked: (QueryOptions | undefined)[] = [];
    const recorder = new Proxy({} as QueryService, {
      get: () => async (_query: unknown, options?: QueryOptions) => asked.push(options),
    });
    const limits = {
      maxQueryLengthMs: 1,
      maxQueryLookbackMs: 2,
      maxFlamegraphNodesDefault: 3,
      maxFlamegraphNodesMax: 4,
      maxQueryMemoryBytes: 5,
    };
    const tenantsAsked: (readonly string[])[] = [];
    const bound = bindQueries(recorder, (tenants) => {
      tenantsAsked.push(tenants);
      return limits;
    });
    const { signal } = new AbortController();
    const query = stackQuery({ tenants: ["a", "b"] });
    const { profileStats, ...methods } = bound;

    for (const [name, method] of Object.entries(methods)) {
      const argument = name === "selectDiffTree" ? { left: query, right: query } : query;
      await (method as (query: unknown, options: QueryOptions) => Promise<unknown>)(argument, { signal });
    }

    expect(asked).toEqual(Object.keys(methods).map(() => ({ signal, limits })));
    expect(new Set(tenantsAsked.map(String))).toEqual(new Set(["a,b"]));
    expect(profileStats).toBeDefined();
  });
});

describe("limits of queries", () => {
  it("are those of the tenant that asks", async () => {
    const fixture = await createQueryFixture();
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { "a;b;c;d": 1, "a;x": 2 } }]);
    const { app } = await createTestApp({
      storage: spreadable(fixture.queries),
      flags: { "auth.multitenancy-enabled": "true" },
      overrides: parseOverrides(
        "overrides: { short: { max_query_length: 500ms }, few: { max_flamegraph_nodes_default: 1 } }",
      ),
    });
    const ask = async (tenant: string, format: string) => {
      const response = await app.inject({
        method: "POST",
        url: "/querier.v1.QuerierService/SelectMergeStacktraces",
        headers: { "content-type": "application/json", "x-scope-orgid": tenant },
        payload: JSON.stringify({ ...SELECTION, format }),
      });
      return response.json();
    };

    const short = await ask("short", "PROFILE_FORMAT_FLAMEGRAPH");
    const few = await ask("few", "PROFILE_FORMAT_FLAMEGRAPH");
    const free = await ask("free", "PROFILE_FORMAT_FLAMEGRAPH");
    await app.close();
    await fixture.store.close();

    expect(short.message).toBe(
      "the query time range exceeds the limit (max_query_length, actual: 1s, limit: 500ms)",
    );
    expect(few.flamegraph.names).toContain("other");
    expect(free.flamegraph.names).not.toContain("other");
  });
});
