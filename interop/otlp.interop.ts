import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordFixtures } from "./harness/fixtures.ts";
import { type InteropLab, startInteropLab } from "./harness/interop-lab.ts";
import { findMissingTools, goProgram, runWorkload, suiteName } from "./harness/tools.ts";

const missing = findMissingTools(["go"]);
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

let lab: InteropLab;
const program = goProgram("interop");

beforeAll(async () => {
  if (missing.length > 0) return;
  lab = await startInteropLab();
});

afterAll(() => lab?.stop());

describe.skipIf(missing.length > 0)(suiteName("the OpenTelemetry collector's exporter", missing), () => {
  beforeAll(async () => {
    await runWorkload(program, ["otlp-grpc", lab.receiverAddress, "shop"]);
    await runWorkload(program, ["otlp-http", lab.recorder.address, "shop"]);
    recordFixtures("otlp", lab.recorder.exchanges);
  }, 60_000);

  it.for(["grpc", "grpc-gzip", "proto", "proto-gzip", "json"])(
    "stores what %s brings to exact totals",
    async (name) => {
      const onCpu = await lab.readTotals(`${CPU}{service_name="shop-${name}"}`);
      const offCpu = await lab.readTotals(`off_cpu:off_cpu:nanoseconds::{service_name="shop-${name}"}`);

      // 30 and 10 samples, each of 50 ms.
      expect(onCpu).toEqual(
        new Map([
          ["total", 2_000_000_000],
          ["main", 2_000_000_000],
          ["hotCheckout", 1_500_000_000],
          ["coldSearch", 500_000_000],
        ]),
      );
      expect(offCpu.get("coldSearch")).toBe(12_000_000);
    },
  );

  it("makes labels of its attributes, and a span of its link", async () => {
    const query = `${CPU}{service_name="shop-grpc","container.id"="c0ffee","thread.name"="worker"}`;
    const { flamegraph } = await lab.client.querier("gRPC").selectMergeSpanProfile({
      profileTypeID: CPU,
      labelSelector: '{service_name="shop-grpc"}',
      spanSelector: ["00f067aa0ba902b7"],
      start: BigInt(Date.now() - 600_000),
      end: BigInt(Date.now() + 600_000),
    });

    expect((await lab.readTotals(query)).get("total")).toBe(1_500_000_000);
    expect(flamegraph?.total).toBe(1_500_000_000n);
  });

  it("is not taken by the doctor for a client without a service", async () => {
    const { body } = await lab.client.get("/api/v1/doctor");

    expect(body).toMatchObject({ tenants: [{ findings: [] }] });
  });
});
