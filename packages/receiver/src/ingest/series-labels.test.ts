import { formatLabels, labelSetFromRecord, RESERVED_LABELS } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { resolveSeriesLabels } from "./series-labels.ts";

const resolve = (record: Record<string, string>, name?: string) =>
  formatLabels(resolveSeriesLabels(labelSetFromRecord(record), name));

describe("resolveSeriesLabels", () => {
  it.for([{}, { service_name: "" }])("names the service of %j", (record) => {
    expect(resolve({ __name__: "cpu", ...record })).toBe('{__name__="cpu", service_name="unknown_service"}');
  });

  it("drops the session, the delta mark and everything that the server writes itself", () => {
    const dropped = [
      "__session_id__",
      "__delta__",
      ...RESERVED_LABELS.filter((l) => l.writer === "server").map((l) => l.name),
    ];
    const record = Object.fromEntries(dropped.map((name) => [name, "x"]));

    expect(resolve({ ...record, service_name: "shop" })).toBe('{service_name="shop"}');
  });

  it("keeps other labels that begin with two underscores", () => {
    expect(resolve({ __otel__: "true", __proto: "x", service_name: "shop" })).toBe(
      '{__otel__="true", __proto="x", service_name="shop"}',
    );
  });

  it("keeps a label named __proto__", () => {
    const labels = [
      { name: "__proto__", value: "x" },
      { name: "service_name", value: "shop" },
    ];

    expect(formatLabels(resolveSeriesLabels(labels))).toBe('{__proto__="x", service_name="shop"}');
  });

  it("puts the name that the profile decided in place of the client's", () => {
    expect(resolve({ __name__: "mine", service_name: "shop" }, "wall")).toBe(
      '{__name__="wall", service_name="shop"}',
    );
  });

  it("gives the differences of Go's library the name of their kind, and keeps the one that came", () => {
    expect(resolve({ __name__: "godeltaprof_memory", service_name: "shop" })).toBe(
      '{__name__="memory", __name_replaced__="godeltaprof_memory", service_name="shop"}',
    );
    expect(resolve({ __name__: "my_godeltaprof_memory", service_name: "shop" })).toBe(
      '{__name__="my_godeltaprof_memory", service_name="shop"}',
    );
    expect(resolve({ __name__: "godeltaprof_memory", service_name: "shop" }, "mutex")).toBe(
      '{__name__="mutex", service_name="shop"}',
    );
  });

  it("keeps the session of a tenant that allows some, as a bucket", () => {
    const withSession = (id: string) =>
      formatLabels(
        resolveSeriesLabels(labelSetFromRecord({ __session_id__: id, service_name: "shop" }), undefined, 8),
      );

    // Little-endian: 0x0b, which is 11.
    expect(withSession("0b00000000000000")).toBe('{__session_id__="0300000000000000", service_name="shop"}');
    expect(withSession("no id")).toBe('{service_name="shop"}');
  });

  it("keeps a name that stands twice, for the check to refuse", () => {
    const twice = ["1", "2"].map((value) => ({ name: "a", value }));

    expect(formatLabels(resolveSeriesLabels(twice))).toBe('{a="1", a="2", service_name="unknown_service"}');
  });
});
