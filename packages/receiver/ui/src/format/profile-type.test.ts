import { describe, expect, it } from "vitest";
import { chooseRateUnit, compareProfileTypes, describeProfileType, titleInSentence } from "./profile-type.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const WALL = "wall:wall:nanoseconds:wall:nanoseconds";
const HEAP = "memory:inuse_space:bytes:space:bytes";
const ALLOCATED = "memory:alloc_objects:count:space:bytes";

describe("describeProfileType", () => {
  it("explains what the SDK sends", () => {
    expect(describeProfileType(CPU)).toMatchObject({ title: "CPU time", isInstant: false });
    expect(describeProfileType(HEAP)).toMatchObject({ title: "Live heap", isInstant: true });
  });

  it("promises no more than Node's profiles hold", () => {
    expect(describeProfileType(WALL).help).toContain("waiting for I/O does not");
    expect(describeProfileType(WALL).help).not.toContain("slow");
    expect(describeProfileType(HEAP).help).toContain("may be a leak");
  });

  it("shows a type that nobody described by its own names", () => {
    expect(describeProfileType("disk:reads:count:disk:count").title).toBe("disk reads");
    expect(describeProfileType("goroutine:goroutine:count:goroutine:count").isInstant).toBe(true);
    expect(describeProfileType("").title).toBe("");
  });
});

describe("chooseRateUnit", () => {
  it("makes cores of CPU time", () => {
    const unit = chooseRateUnit(CPU);

    expect(unit.format(unit.toPoint(22.5e9, 15))).toBe("1.5 cores");
    expect(unit.format(unit.toPoint(1, 15))).toBe("<0.000001 cores");
    expect(unit.format(0)).toBe("0 cores");
  });

  it("leaves the live heap what it is", () => {
    const unit = chooseRateUnit(HEAP);

    expect(unit.format(unit.toPoint(1024 * 1024, 15))).toBe("1 MiB");
  });

  it("makes rates of the rest", () => {
    const objects = chooseRateUnit(ALLOCATED);

    expect(objects.format(objects.toPoint(30_000, 15))).toBe("2 k/s");
    expect(chooseRateUnit(WALL).axis).toBe("seconds per second");
  });
});

describe("compareProfileTypes", () => {
  it("offers CPU first and unknown types last", () => {
    expect([HEAP, "disk:reads:count::", WALL, CPU].sort(compareProfileTypes)).toEqual([
      CPU,
      WALL,
      HEAP,
      "disk:reads:count::",
    ]);
  });
});

describe("titleInSentence", () => {
  it("keeps abbreviations", () => {
    expect(["CPU time", "Live heap"].map(titleInSentence)).toEqual(["CPU time", "live heap"]);
  });
});
