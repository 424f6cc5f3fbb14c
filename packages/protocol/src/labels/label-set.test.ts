import { describe, expect, it } from "vitest";
import {
  equalLabels,
  formatLabels,
  getLabel,
  labelSetFromRecord,
  mergeLabels,
  sortLabels,
  withoutLabels,
} from "./label-set.ts";

const set = labelSetFromRecord({ pod: "a", env: "prod" });

describe("sortLabels", () => {
  it("orders names by their bytes", () => {
    const names = sortLabels(["b", "😀", "\ufffd", "B", "a.b", "a"].map((name) => ({ name, value: "" })));

    expect(names.map((label) => label.name)).toEqual(["B", "a", "a.b", "b", "\ufffd", "😀"]);
  });

  it("keeps labels of one name, in the order given", () => {
    const twice = sortLabels([
      { name: "a", value: "2" },
      { name: "a", value: "1" },
    ]);

    expect(twice.map((label) => label.value)).toEqual(["2", "1"]);
  });
});

describe("mergeLabels", () => {
  it("keeps the overriding value of a name that both have", () => {
    expect(formatLabels(mergeLabels(set, labelSetFromRecord({ env: "dev", zone: "z" })))).toBe(
      '{env="dev", pod="a", zone="z"}',
    );
  });

  it("leaves its inputs as they were", () => {
    mergeLabels(set, labelSetFromRecord({ env: "dev" }));

    expect(formatLabels(set)).toBe('{env="prod", pod="a"}');
  });
});

describe("getLabel", () => {
  it("tells an empty value from a missing label", () => {
    const labels = labelSetFromRecord({ empty: "" });

    expect(getLabel(labels, "empty")).toBe("");
    expect(getLabel(labels, "missing")).toBeUndefined();
  });

  it("finds labels named like members of an object", () => {
    expect(getLabel(set, "constructor")).toBeUndefined();
    expect(getLabel(mergeLabels(set, [{ name: "__proto__", value: "x" }]), "__proto__")).toBe("x");
  });
});

describe("withoutLabels", () => {
  it("drops the named labels alone", () => {
    expect(formatLabels(withoutLabels(set, new Set(["pod", "other"])))).toBe('{env="prod"}');
  });
});

describe("equalLabels", () => {
  it("compares names, values and count", () => {
    expect(equalLabels(set, labelSetFromRecord({ env: "prod", pod: "a" }))).toBe(true);
    expect(equalLabels(set, labelSetFromRecord({ env: "prod", pod: "b" }))).toBe(false);
    expect(equalLabels(set, labelSetFromRecord({ env: "prod", qod: "a" }))).toBe(false);
    expect(equalLabels(set, labelSetFromRecord({ env: "prod" }))).toBe(false);
    expect(equalLabels(labelSetFromRecord({ env: "prod" }), set)).toBe(false);
  });
});

describe("formatLabels", () => {
  it("prints the empty set as braces", () => {
    expect(formatLabels([])).toBe("{}");
  });

  it("quotes values as Go does", () => {
    expect(formatLabels([{ name: "a", value: 'x"\n' }])).toBe('{a="x\\"\\n"}');
  });
});
