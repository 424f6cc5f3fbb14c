import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatProfileType, parseProfileType } from "./profile-type.ts";

describe("parseProfileType", () => {
  it("takes an id apart", () => {
    expect(parseProfileType("memory:inuse_space:bytes:space:count")).toEqual({
      id: "memory:inuse_space:bytes:space:count",
      name: "memory",
      sampleType: "inuse_space",
      sampleUnit: "bytes",
      periodType: "space",
      periodUnit: "count",
    });
  });

  it("reads a type without a period", () => {
    expect(parseProfileType("gc:gc:nanoseconds::")).toMatchObject({ periodType: "", periodUnit: "" });
  });

  it("keeps a sixth part in the id alone", () => {
    expect(parseProfileType("a:b:c:d:e:delta")).toMatchObject({ id: "a:b:c:d:e:delta", periodUnit: "e" });
  });

  it.for([
    ["", 1],
    ["a:b:c:d", 4],
    ["a:b:c:d:e:f:g", 7],
    ['say "hi"', 1],
  ] as const)("refuses %j", ([id, count]) => {
    expect(() => parseProfileType(id)).toThrow(
      expect.objectContaining({
        code: "PROFILE_TYPE_INVALID",
        message: `profile-type selection must be of the form <name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), got(${count}): ${JSON.stringify(id)}`,
      }),
    );
  });
});

describe("formatProfileType", () => {
  it("is read back by parseProfileType", () => {
    const part = fc.string().filter((text) => !text.includes(":"));
    const type = fc.record({
      name: part,
      sampleType: part,
      sampleUnit: part,
      periodType: part,
      periodUnit: part,
    });

    fc.assert(
      fc.property(type, (parts) => {
        const id = formatProfileType(parts);
        expect(parseProfileType(id)).toEqual({ id, ...parts });
      }),
    );
  });

  it("drops a sixth part", () => {
    expect(formatProfileType(parseProfileType("a:b:c:d:e:delta"))).toBe("a:b:c:d:e");
  });

  it("refuses a part that would shift the others", () => {
    const type = { ...parseProfileType("a:b:c:d:e"), sampleType: "x:y" };

    expect(() => formatProfileType(type)).toThrow(
      expect.objectContaining({
        code: "PROFILE_TYPE_INVALID",
        message: 'profile type part "x:y": contains ":"',
      }),
    );
  });
});
