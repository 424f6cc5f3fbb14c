import { describe, expect, it } from "vitest";
import { formatSelector, parseSelector, serviceOf, withFilter, withService } from "./label-filter.ts";

describe("parseSelector", () => {
  it("reads all four operators", () => {
    expect(parseSelector('{a="b", c!="d" ,e=~"f.*",g!~"h"}')).toEqual([
      { name: "a", operator: "=", value: "b" },
      { name: "c", operator: "!=", value: "d" },
      { name: "e", operator: "=~", value: "f.*" },
      { name: "g", operator: "!~", value: "h" },
    ]);
  });

  it("reads back what formatSelector writes, whatever stands in it", () => {
    const filters = [
      { name: "otel.scope", operator: "=", value: 'say "hi", {x}' },
      { name: "path", operator: "=~", value: "C:\\\\dir\\d+\nnext" },
      { name: "empty", operator: "!=", value: "" },
    ] as const;

    expect(parseSelector(formatSelector(filters))).toEqual(filters);
  });

  it("has no filters in an empty selector", () => {
    expect(parseSelector("{}")).toEqual([]);
    expect(parseSelector("")).toEqual([]);
  });

  it.for(["a", "{a}", '{a="b"', '{a="b" c="d"}', '{a=="b"}', "{a='b'}"])("refuses %s", (selector) => {
    expect(parseSelector(selector)).toBeUndefined();
  });
});

describe("withService", () => {
  it("replaces the service and keeps the other filters", () => {
    const filters = parseSelector('{env="prod",service_name="a"}') ?? [];

    const changed = withService(filters, "b");

    expect(formatSelector(changed)).toBe('{service_name="b",env="prod"}');
    expect(serviceOf(changed)).toBe("b");
  });
});

describe("withService", () => {
  it("selects all services for none", () => {
    expect(withService([{ name: "service_name", operator: "=", value: "a" }], "")).toEqual([]);
  });
});

describe("serviceOf", () => {
  it("is nothing when a pattern selects services", () => {
    expect(serviceOf(parseSelector('{service_name=~"a.*"}') ?? [])).toBe("");
  });
});

describe("withFilter", () => {
  it("does not add the same condition twice", () => {
    const filter = { name: "env", operator: "=", value: "prod" } as const;

    expect(withFilter(withFilter([], filter), { ...filter })).toEqual([filter]);
  });
});
