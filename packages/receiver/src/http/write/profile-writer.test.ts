import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS } from "../../ingest/limits.ts";
import type { PushItem, PushItemResult } from "../../ingest/push-service.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { createProfileWriter } from "./profile-writer.ts";
import { createPushGate } from "./push-gate.ts";

const NO_TIMES = { sampleRateHz: 0, fromUnixNanos: 0n, untilUnixNanos: 0n };

const stored = (profileName: string): PushItemResult => ({
  ok: true,
  profiles: 1,
  measures: { profileName, bytes: 5000, sampleCount: 7 },
});

/** Pushes items that are answered so; the lines of the metrics whose name begins with one. */
async function linesOf(prefix: string, items: readonly PushItem[], results: readonly PushItemResult[]) {
  const { metrics, render } = createMetrics({ isProcessIncluded: false });
  const writer = createProfileWriter({
    pushService: { push: async () => results },
    gate: createPushGate(0, { monotonicMillis: () => 0 }),
    limitsOf: () => DEFAULT_INGEST_LIMITS,
    clock: { nowUnixMillis: () => 0 },
    metrics,
  });
  await writer.push({ tenants: ["acme"], requestId: "r", client: "c" }, items, () => {
    throw new Error("nothing is forwarded");
  });
  return (await render()).split("\n").filter((line) => line.startsWith(prefix));
}

const item = (name: string, rest: Partial<PushItem> = {}): PushItem => ({
  labels: labelSetFromRecord({ __name__: name }),
  payload: new Uint8Array(100),
  id: "",
  ...rest,
});

describe("createProfileWriter", () => {
  it("measures what is stored, by names of profiles that it knows", async () => {
    const items = [item("process_cpu"), item("made-up-1"), item("made-up-2")];
    const results = [stored("process_cpu"), stored("made-up-1"), stored("made-up-2")];
    const samples = "pyroscope_distributor_received_samples_";

    expect(await linesOf(`${samples}sum`, items, results)).toEqual([
      `${samples}sum{type="process_cpu",tenant="acme"} 7`,
      `${samples}sum{type="other",tenant="acme"} 14`,
    ]);
    expect(
      await linesOf("pyroscope_distributor_received_decompressed_bytes_count", items, results),
    ).toHaveLength(2);
  });

  it.for([
    ["jfr", { format: { kind: "jfr", ...NO_TIMES, labelsSnapshot: new Uint8Array(0) } }],
    ["otel", { format: { kind: "otlp", encoding: "proto" } }],
    ["wall", {}],
  ] as const)("measures what was sent as %s, stored or not", async ([type, rest]) => {
    const refused: PushItemResult = {
      ok: false,
      reason: "unknown",
      code: "internal",
      message: "",
      isUndecodable: false,
      bytes: 1,
    };
    const items = [item("wall", rest)];

    expect(await linesOf("pyroscope_distributor_received_compressed_bytes_sum", items, [refused])).toEqual([
      `pyroscope_distributor_received_compressed_bytes_sum{type="${type}",tenant="acme"} 100`,
    ]);
  });

  it("counts the label names that were made classic", async () => {
    const renamed: PushItemResult = { ok: true, profiles: 1, renamedLabelCount: 3 };

    expect(await linesOf("pyroscope_sanitized_label_names_total", [item("wall")], [renamed])).toContain(
      'pyroscope_sanitized_label_names_total{tenant="acme"} 3',
    );
  });
});
