import { encodePprof, labelSetFromRecord } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS } from "./limits.ts";

const NOW_MS = 1_772_366_400_000;
const payload = encodePprof(profileFromText("main", { timeUnixNanos: BigInt(NOW_MS) * 1_000_000n }));

describe("Ingester at the rate of a tenant", () => {
  it("refuses what comes too fast, until there is room again", async () => {
    let millis = 0;
    const ingester = new Ingester({
      store: { append: async () => undefined, hasSeries: () => false, seriesCount: () => 0 },
      clock: { monotonicMillis: () => millis },
      log: () => undefined,
    });
    const limits = {
      ...DEFAULT_INGEST_LIMITS,
      maxProfileSizeBytes: payload.length,
      rateBytesPerSecond: payload.length,
      burstBytes: 0,
    };
    const push = async (tenant: string) => {
      const labels = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });
      const items = [{ labels, payload, id: "" }];
      const [result] = await ingester.push({ tenant, receivedUnixMillis: NOW_MS, items, limits });
      return result;
    };

    expect(await push("a")).toMatchObject({ ok: true });
    expect(await push("a")).toMatchObject({
      ok: false,
      reason: "rate_limited",
      code: "resource_exhausted",
      bytes: payload.length,
      retryAfterSeconds: 1,
    });
    expect(await push("b")).toMatchObject({ ok: true });
    millis = 1000;
    expect(await push("a")).toMatchObject({ ok: true });
  });
});
