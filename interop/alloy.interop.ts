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

describe.skipIf(missing.length > 0)(suiteName("clients of connect-go", missing), () => {
  let services: readonly string[];

  beforeAll(async () => {
    // HTTP/2 does not pass the recorder.
    services = (await runWorkload(program, ["alloy", lab.receiverAddress, "shop"])) as readonly string[];
  }, 60_000);

  it("push as Alloy does in Connect, gRPC and gRPC-Web, proto and JSON, over HTTP/1.1 and h2c", async () => {
    expect(services).toHaveLength(10);
    for (const service of services) {
      const totals = await lab.readTotals(`${CPU}{service_name="${service}"}`);
      expect([service, totals.get("total"), totals.get("main.hotCheckout")]).toEqual([
        service,
        400_000_000,
        300_000_000,
      ]);
    }
  });

  it("read what Grafana's data source and profilecli read, alike over every transport", async () => {
    const answers = (await runWorkload(program, ["read", lab.receiverAddress, "shop-connect"])) as {
      readonly [transport: string]: Readonly<Record<string, unknown>>;
    };

    expect(Object.keys(answers)).toHaveLength(10);
    for (const answer of Object.values(answers)) {
      expect(answer).toEqual({
        profileTypes: [CPU, "process_cpu:samples:count:cpu:nanoseconds"],
        labelNames: [
          "__name__",
          "__period_type__",
          "__period_unit__",
          "__profile_type__",
          "__service_name__",
          "__type__",
          "__unit__",
          "instance",
          "job",
          "route",
          "service_name",
        ],
        routes: ["/checkout"],
        seriesCount: 2,
        names: ["total", "main.main", "main.hotCheckout", "main.coldSearch"],
        total: 400_000_000,
        treeBytes: 59,
        spanTotal: 300_000_000,
        pprofTotal: 400_000_000,
        pgoTotal: 400_000_000,
        mergeTotal: 400_000_000,
        pointSum: 400_000_000,
        exemplarTotal: expect.toSatisfy((total) => total === 100_000_000 || total === 300_000_000),
        heatmapCount: 2,
        diffTotal: 800_000_000,
        hasData: true,
        analyzedScopes: 1,
      });
    }
  });

  it("ask what profilecli asks, and push what it pushes, alike over every transport", async () => {
    const answers = (await runWorkload(program, ["profilecli", lab.receiverAddress, "cli"])) as {
      readonly [transport: string]: Readonly<Record<string, unknown>>;
    };

    expect(Object.keys(answers)).toHaveLength(10);
    for (const answer of Object.values(answers)) {
      expect(answer).toEqual({
        ready: "ready\n",
        // profilecli then asks the querier.
        frontendCode: "unimplemented",
        profileTotal: 400_000_000,
        treeBytes: 59,
        pgoTotal: 400_000_000,
        seriesCount: 4,
        cardinality: expect.objectContaining({ __profile_type__: 2, route: 1, service_name: 1 }),
        top: { "/checkout": 300_000_000, "<unknown>": 100_000_000 },
        exemplarCount: 1,
        spanIds: ["00f067aa0ba902b7"],
        canary: {
          names: 3,
          levels: 3,
          spanNames: 2,
          spanLevels: 2,
          "points of step 1000": [30, 30],
          "points of step 5": [30, 30],
          "/pyroscope/render": 3,
          "/pyroscope/render-diff": 3,
        },
      });
    }
  });

  it("is known to the doctor by name and version", async () => {
    const { body } = await lab.client.get("/api/v1/doctor");

    expect(body).toMatchObject({
      tenants: [
        {
          findings: [],
          clients: [
            { name: "pyroscope", version: "2.2.0", format: "pprof" },
            { name: "Alloy", version: "v1.12.0", format: "pprof" },
          ],
        },
      ],
    });
  });

  it("sends the requests that are replayed", async () => {
    await runWorkload(program, ["alloy-http1", lab.recorder.address, "recorded"]);
    recordFixtures("alloy", lab.recorder.exchanges);

    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
  });
});
