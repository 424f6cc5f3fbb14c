import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClassicLabelName, isIngestLabelName, RESERVED_LABELS, sanitizeLabelName } from "./label-names.ts";

describe("RESERVED_LABELS", () => {
  it("names each label once", () => {
    const names = RESERVED_LABELS.map((label) => label.name);

    expect(new Set(names).size).toBe(names.length);
  });
});

describe("isIngestLabelName", () => {
  it("keeps the session and refuses every other internal name", () => {
    expect(["env", "_x", "otel.scope.name", "__session_id__"].map(isIngestLabelName)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["__name__", "__", "__session_id", "__delta__"].map(isIngestLabelName)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("sanitizeLabelName", () => {
  it.for([
    ["route", "route"],
    ["http.route", "http_route"],
    ["1st", "_1st"],
    ["", "_"],
    ["a😀b", "a_b"],
    ["über-name", "_ber_name"],
  ] as const)("%j", ([name, sanitized]) => {
    expect(sanitizeLabelName(name)).toBe(sanitized);
  });

  it("always gives a name that needs no quotes, and leaves such a name alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."aZ_09.-/ é😀\n") }), (name) => {
        const sanitized = sanitizeLabelName(name);
        expect(isClassicLabelName(sanitized)).toBe(true);
        expect(sanitizeLabelName(sanitized)).toBe(sanitized);
      }),
    );
  });
});
