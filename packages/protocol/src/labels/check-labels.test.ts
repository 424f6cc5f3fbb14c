import { describe, expect, it } from "vitest";
import { checkLabels, DEFAULT_LABEL_LIMITS, type LabelLimits } from "./check-labels.ts";
import { formatLabels, type LabelSet, labelSetFromRecord, sortLabels } from "./label-set.ts";

const BASE = { __name__: "process_cpu", service_name: "shop" };
const SANITIZING: LabelLimits = { ...DEFAULT_LABEL_LIMITS, sanitizeNames: true };

function withBase(record: Readonly<Record<string, string>>): LabelSet {
  return labelSetFromRecord({ ...BASE, ...record });
}

function refusal(labels: LabelSet, limits?: LabelLimits): string {
  const check = checkLabels(labels, limits);
  return check.ok ? "ok" : `${check.reason}: ${check.message}`;
}

function stored(labels: LabelSet, limits?: LabelLimits): string {
  const check = checkLabels(labels, limits);
  return check.ok ? `${check.renamedCount} ${formatLabels(check.labels)}` : check.message;
}

describe("checkLabels", () => {
  it("refuses a set without labels", () => {
    expect(refusal([])).toBe("missing_labels: error at least one label pair is required per profile");
  });

  it("accepts as many labels as the limit and refuses one more", () => {
    const limits = { ...DEFAULT_LABEL_LIMITS, maxLabelCount: 3 };

    expect(refusal(withBase({ a: "1" }), limits)).toBe("ok");
    expect(refusal(withBase({ a: "1", b: "2" }), limits)).toBe(
      `max_label_names_per_series: profile series '{__name__="process_cpu", a="1", b="2", service_name="shop"}' has 4 label names; limit 3`,
    );
  });

  it.for([
    [{ service_name: "shop" }, `{service_name="shop"}`],
    [{ __name__: "", service_name: "shop" }, `{__name__="", service_name="shop"}`],
    [{ __name__: "\ud800", service_name: "shop" }, `{__name__="\ufffd", service_name="shop"}`],
  ] as const)("refuses %j, which names no profile", ([record, printed]) => {
    expect(refusal(labelSetFromRecord(record))).toBe(
      `invalid_labels: invalid labels '${printed}' with error: invalid metric name`,
    );
  });

  it.for([
    [{ __name__: "cpu" }, `{__name__="cpu"}`],
    [{ __name__: "cpu", service_name: "" }, `{__name__="cpu", service_name=""}`],
  ] as const)("refuses %j, which names no service", ([record, printed]) => {
    expect(refusal(labelSetFromRecord(record))).toBe(
      `missing_labels: invalid labels '${printed}' with error: service name is not provided`,
    );
  });

  it("measures names in bytes", () => {
    expect(refusal(withBase({ ["é".repeat(512)]: "" }))).toBe("ok");

    const tooLong = `${"é".repeat(512)}x`;
    expect(refusal(withBase({ [tooLong]: "" }))).toBe(
      `label_name_too_long: profile with labels '${formatLabels(withBase({ [tooLong]: "" }))}' has label name too long: '${tooLong}'`,
    );
  });

  it("measures values in bytes", () => {
    expect(refusal(withBase({ a: "é".repeat(1024) }))).toBe("ok");

    const tooLong = `${"é".repeat(1024)}x`;
    expect(refusal(withBase({ a: tooLong }))).toBe(
      `label_value_too_long: profile with labels '{__name__="process_cpu", a="${tooLong}", service_name="shop"}' has label value too long: '${tooLong}'`,
    );
  });

  it("refuses an empty name and a value that UTF-8 cannot carry", () => {
    expect(refusal(withBase({ "": "x" }))).toBe(
      `invalid_labels: invalid labels '{="x", __name__="process_cpu", service_name="shop"}' with error: invalid label name ''`,
    );
    expect(refusal(withBase({ a: "\ud800" }))).toBe(
      `invalid_labels: invalid labels '{__name__="process_cpu", a="\ufffd", service_name="shop"}' with error: invalid label value '\ud800'`,
    );
  });

  it("refuses a name that stands twice, whatever its values", () => {
    const labels = sortLabels([...withBase({ a: "1" }), { name: "a", value: "1" }]);

    expect(refusal(labels)).toBe(
      `duplicate_label_names: profile with labels '{__name__="process_cpu", a="1", a="1", service_name="shop"}' has duplicate label name: 'a'`,
    );
    expect(refusal(labels, SANITIZING)).toBe(refusal(labels));
  });

  it("stores any UTF-8 name as it came", () => {
    expect(stored(withBase({ "otel.scope/ñ": "x" }))).toBe(
      `0 {__name__="process_cpu", otel.scope/ñ="x", service_name="shop"}`,
    );
  });

  it("returns the very set when there is nothing to change", () => {
    const labels = withBase({ a: "1" });

    const check = checkLabels(labels, SANITIZING);

    expect(check).toEqual({ ok: true, labels, renamedCount: 0 });
    expect(check.ok && check.labels).toBe(labels);
  });
});

describe("checkLabels that sanitises names", () => {
  it("writes dots as underscores and sorts again", () => {
    expect(stored(withBase({ "a.b": "1", aA: "2" }), SANITIZING)).toBe(
      `1 {__name__="process_cpu", aA="2", a_b="1", service_name="shop"}`,
    );
  });

  it("joins names that become one when their values agree", () => {
    expect(stored(withBase({ "a.b": "1", a_b: "1" }), SANITIZING)).toBe(
      `1 {__name__="process_cpu", a_b="1", service_name="shop"}`,
    );
  });

  it.for([
    [{ "a.b": "1", a_b: "2" }, "a_b", "a.b"],
    [{ "a.b.c": "1", "a.b_c": "2" }, "a_b_c", "a.b_c"],
  ] as const)("refuses %j, whose names become one with two values", ([record, name, origin]) => {
    expect(refusal(withBase(record), SANITIZING)).toBe(
      `duplicate_label_names: profile with labels '${formatLabels(withBase(record))}' has duplicate label name '${name}' after label name sanitization from '${origin}'`,
    );
  });

  it.for(["a-b", "1a", "ñ", "a b"])("refuses %j", (name) => {
    expect(refusal(withBase({ [name]: "x" }), SANITIZING)).toContain(
      `with error: invalid label name '${name}'`,
    );
  });
});
