import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { discardReasons } from "./discard-reasons.ts";
import { IngestionDoctor, type PushObservation } from "./ingestion-doctor.ts";
import { findingAdvice } from "./oddity-advice.ts";
import type { PushItemRefused, PushItemResult } from "./push-service.ts";

const T0 = 1_700_000_040_000;
const KEPT: PushItemResult = { ok: true, profiles: 1 };
const REFUSED: PushItemRefused = {
  ok: false,
  reason: "samples_limit",
  code: "invalid_argument",
  message: "too many samples",
  isUndecodable: false,
  bytes: 5,
};

function push(changes: Partial<PushObservation> = {}, service = "shop"): PushObservation {
  const labels = labelSetFromRecord({ __name__: "cpu", ...(service !== "" && { service_name: service }) });
  return {
    tenant: "a",
    client: "pyroscope-go/1.2.3 (linux)",
    items: [{ labels }],
    results: [KEPT],
    nowUnixMillis: T0,
    ...changes,
  };
}

describe("IngestionDoctor", () => {
  it("keeps the last refusals by reason and client, with how to fix them", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [REFUSED] }));
    doctor.observe(push({ results: [KEPT, { ...REFUSED, message: "far too many" }], nowUnixMillis: T0 + 5 }));
    doctor.observe(push({ results: [REFUSED], client: "alloy/1" }));

    const { findings } = doctor.diagnose("a", T0);
    expect(findings.map(({ client, count }) => [client, count])).toEqual([
      ["alloy/1", 1],
      ["pyroscope-go/1.2.3 (linux)", 2],
    ]);
    expect(findings[1]).toEqual({
      reason: "samples_limit",
      client: "pyroscope-go/1.2.3 (linux)",
      service: "shop",
      message: "far too many",
      advice: findingAdvice.samples_limit,
      count: 2,
      firstUnixMillis: T0,
      lastUnixMillis: T0 + 5,
    });
  });

  it("knows who sends what, and how often", () => {
    const doctor = new IngestionDoctor();
    for (let second = 0; second < 60; second += 10) {
      doctor.observe(push({ nowUnixMillis: T0 - 60_000 + second * 1000 }));
    }
    doctor.observe(push({ nowUnixMillis: T0, results: [REFUSED] }));

    const rateAt = (now: number) => doctor.diagnose("a", now).clients[0]?.requestsPerMinute;

    expect(doctor.diagnose("a", T0).clients).toEqual([
      {
        client: "pyroscope-go/1.2.3 (linux)",
        name: "pyroscope-go",
        version: "1.2.3",
        format: "pprof",
        service: "shop",
        requestCount: 7,
        refusedProfileCount: 1,
        requestsPerMinute: 7,
        lastSeenUnixMillis: T0,
      },
    ]);
    expect([rateAt(T0 + 30_000), rateAt(T0 + 60_000), rateAt(T0 + 120_000)]).toEqual([4, 1, 0]);
  });

  it.for(["", "unknown_service", "unknown_service:node"])(
    "finds profiles without a service: %j",
    (service) => {
      const doctor = new IngestionDoctor();

      doctor.observe(push({}, service));

      expect(doctor.diagnose("a", T0).findings).toMatchObject([
        { reason: "unknown_service", message: expect.stringContaining("service_name") },
      ]);
    },
  );

  it("finds a service that two kinds of client profile at one time, and not one after the other", () => {
    const doctor = new IngestionDoctor();
    doctor.observe(push());
    doctor.observe(push({ client: "pyroscope-go/2.0" }));
    doctor.observe(push({ client: "alloy/1", nowUnixMillis: T0 + 300_001 }));
    expect(doctor.diagnose("a", T0).findings).toEqual([]);

    doctor.observe(push({ client: "pyroscope-go/2.0", nowUnixMillis: T0 + 300_002 }));

    expect(doctor.diagnose("a", T0).findings).toMatchObject([
      { reason: "several_clients", message: 'service "shop" is profiled by "alloy" and "pyroscope-go"' },
    ]);
  });

  it("knows SDKs by their own labels, and takes the two libraries of the Go SDK for one", () => {
    const doctor = new IngestionDoctor();
    const from = (scope: string, version: string) => {
      const labels = { service_name: "shop", "otel.scope.name": scope, "otel.scope.version": version };
      doctor.observe(push({ client: "Go-http-client/1.1", items: [{ labels: labelSetFromRecord(labels) }] }));
    };
    from("com.grafana.pyroscope/go", "v1.5.0");
    from("com.grafana.pyroscope/godeltaprof", "v0.1.12");

    const { findings, clients } = doctor.diagnose("a", T0);
    expect(clients.map(({ name, version }) => `${name} ${version}`)).toEqual([
      "com.grafana.pyroscope/godeltaprof v0.1.12",
      "com.grafana.pyroscope/go v1.5.0",
    ]);
    expect(findings).toEqual([]);
  });

  it("takes the service that a profile was kept for, where its labels are inside", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [{ ok: true, profiles: 1, service: "inside" }] }, ""));

    expect(doctor.diagnose("a", T0)).toMatchObject({ findings: [], clients: [{ service: "inside" }] });
  });

  it("finds profiles whose frames are addresses", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [{ ok: true, profiles: 1, isUnsymbolized: true }] }));

    expect(doctor.diagnose("a", T0).findings).toMatchObject([{ reason: "unsymbolized", service: "shop" }]);
  });

  it("keeps requests that were refused before their profiles were read", () => {
    const doctor = new IngestionDoctor();
    const message = "name: service name is required";

    doctor.observeRefusal({
      tenant: "a",
      client: "sdk/1",
      reason: "invalid_labels",
      message,
      nowUnixMillis: T0,
    });

    expect(doctor.diagnose("a", T0).findings).toMatchObject([
      { reason: "invalid_labels", client: "sdk/1", message, advice: findingAdvice.invalid_labels },
    ]);
  });

  it.for([
    { client: "Grafana/10.3.9", reasons: ["old_grafana"] },
    { client: "Grafana/9.5.0 linux", reasons: ["old_grafana"] },
    { client: "Grafana/10.4.0", reasons: [] },
    { client: "Grafana/12.1.0", reasons: [] },
    { client: "curl/8.0", reasons: [] },
  ])("finds in $client, which reads: $reasons", ({ client, reasons }) => {
    const doctor = new IngestionDoctor();

    doctor.observeReader("a", client, T0);

    expect(doctor.diagnose("a", T0).findings.map(({ reason }) => reason)).toEqual(reasons);
  });

  it("finds series that were folded", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [{ ok: true, profiles: 1, foldedSeriesCount: 7 }] }));

    expect(doctor.diagnose("a", T0).findings).toMatchObject([
      { reason: "folded_series", message: expect.stringContaining("7 series"), service: "shop" },
    ]);
  });

  it("finds nothing odd in what was refused", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [REFUSED] }, ""));

    expect(doctor.diagnose("a", T0).findings.map(({ reason }) => reason)).toEqual(["samples_limit"]);
  });

  it("tells no tenant about another", () => {
    const doctor = new IngestionDoctor();

    doctor.observe(push({ results: [REFUSED] }));

    expect(doctor.diagnose("b", T0)).toEqual({ findings: [], clients: [] });
  });

  it("forgets what is oldest, and cuts long texts", () => {
    const doctor = new IngestionDoctor();
    const message = "x".repeat(10_000);
    for (let i = 0; i < 200; i++) {
      doctor.observe(push({ client: `c${i}`, results: [{ ...REFUSED, message }] }));
    }
    for (let i = 0; i < 500; i++) doctor.observe(push({ tenant: `t${i}` }));

    expect(doctor.diagnose("a", T0).clients).toEqual([]);
    doctor.observe(push({ tenant: "t499", results: [{ ...REFUSED, message }] }));
    expect(doctor.diagnose("t499", T0).findings[0]?.message).toHaveLength(501);
    for (let i = 0; i < 200; i++) {
      doctor.observe(push({ client: `c${i}`, results: [{ ...REFUSED, message }] }));
    }
    const { findings, clients } = doctor.diagnose("a", T0);
    expect([findings.length, clients.length]).toEqual([50, 100]);
    expect([findings[0]?.client, clients[0]?.client]).toEqual(["c199", "c199"]);
  });
});

describe("findingAdvice", () => {
  it("says in a sentence how to fix each reason", () => {
    expect(Object.keys(findingAdvice)).toEqual(expect.arrayContaining(Object.keys(discardReasons)));
    expect(Object.values(findingAdvice).filter((text) => !/^[A-Z].{20,}\.$/.test(text))).toEqual([]);
  });
});
