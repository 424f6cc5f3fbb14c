import { describe, expect, it } from "vitest";
import { Block } from "./block.ts";
import { coverRange, type MillisRange, rolledUpBlocks } from "./block-cover.ts";
import type { BlockMeta } from "./block-meta.ts";
import { type Level, levelMillis } from "./level.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

function block(
  id: string,
  level: Level,
  sources: { readonly rolledUp?: readonly string[]; readonly blocks?: readonly string[] } = {},
  times: MillisRange = { from: Math.max(1, levelMillis[level]), until: 24 * HOUR },
): Block {
  const meta = {
    ...{ id, tenant: "a", level, blocks: [], rolledUp: [], ...sources },
    minUnixNanos: BigInt(times.from) * 1_000_000n,
    maxUnixNanos: BigInt(times.until) * 1_000_000n,
  };
  return new Block(meta as unknown as BlockMeta, "/blocks");
}

/** A time in minutes; with a plus where it is a millisecond later. */
function minute(unixMillis: number): string {
  return `${Math.floor(unixMillis / MINUTE)}${unixMillis % MINUTE === 1 ? "+" : ""}`;
}

/** What is read of which block: `whole`, or ranges. */
function cover(blocks: readonly Block[], range: MillisRange, level: Level): Readonly<Record<string, string>> {
  const parts = coverRange(blocks, range, level).map(({ block: { meta }, ranges }) => {
    const text = ranges?.map(({ from, until }) => `${minute(from)}-${minute(until)}`).join(" ");
    return [meta.id, text ?? "whole"];
  });
  return Object.fromEntries(parts);
}

const day: MillisRange = { from: 1, until: 24 * HOUR };
const raw = block("r", "raw");
const minutes = block("m", "5m", { rolledUp: ["r"] });
const hours = block("h", "1h", { rolledUp: ["m", "r"] });
const services = block("s", "1h-service", { rolledUp: ["h", "m", "r"] });
const all = [raw, minutes, hours, services];

describe("coverRange", () => {
  it("reads the coarsest level that is allowed, and no other where intervals are whole", () => {
    expect(cover(all, day, "raw")).toEqual({ r: "whole" });
    expect(cover(all, day, "5m")).toEqual({ m: "whole" });
    expect(cover(all, day, "1h")).toEqual({ h: "whole" });
    expect(cover(all, day, "1h-service")).toEqual({ s: "whole" });
    expect(cover([raw], day, "1h-service")).toEqual({ r: "whole" });
  });

  it("reads the ends from finer levels", () => {
    const range = { from: HOUR + 2 * MINUTE, until: 4 * HOUR + 7 * MINUTE };

    // Intervals are open at their beginning: the first minute of one belongs to the one before.
    expect(cover(all, range, "1h")).toEqual({
      h: "180-240",
      m: "70-120 245-245",
      r: "62-65 245+-247",
    });
  });

  it("lets a roll-up answer alone where what it was made of is gone, for the intervals that end in the range", () => {
    const range = { from: HOUR + 2 * MINUTE, until: 4 * HOUR + 7 * MINUTE };
    const other = block("r2", "raw");
    const both = block("m2", "5m", { rolledUp: ["gone", "r2"] });

    expect(cover([minutes, hours], range, "raw")).toEqual({ m: "62-247" });
    expect(cover([minutes, hours], range, "1h")).toEqual({ h: "180-240", m: "62-120 240+-247" });
    expect(cover([hours], range, "raw")).toEqual({ h: "62-247" });
    expect(cover([other, both], range, "raw")).toEqual({ m2: "62-247" });
  });

  it("knows what a roll-up covers when the level between is lost", () => {
    expect(cover([raw, hours], day, "raw")).toEqual({ h: "whole" });
    expect(cover([raw, hours, block("m3", "5m", { rolledUp: ["r"] })], day, "1h")).toEqual({ m3: "whole" });
    expect(rolledUpBlocks([raw, hours])).toEqual(new Set([raw]));
  });

  it("takes a block for the one that it replaces", () => {
    const without = block("r9", "raw", { blocks: ["r"] });
    const merged = block("h9", "1h", { blocks: ["h", "h0"], rolledUp: ["m", "r"] });

    expect(cover([without, minutes, merged, services], day, "1h-service")).toEqual({ s: "whole" });
    expect(cover([without, minutes], day, "raw")).toEqual({ r9: "whole" });
    expect(cover([without, minutes], { from: MINUTE, until: 6 * MINUTE }, "5m")).toEqual({ r9: "1-6" });
  });

  it("counts one of two roll-ups of the same block", () => {
    expect(cover([raw, block("m2", "5m", { rolledUp: ["r"] }), minutes], day, "5m")).toEqual({ m: "whole" });
  });

  it("finds what lies before the end of the range in an interval that ends after it", () => {
    const short = { from: 10 * MINUTE + 1, until: 12 * MINUTE };
    const one = [
      block("r", "raw", {}, { from: 11 * MINUTE, until: 11 * MINUTE }),
      block("m", "5m", { rolledUp: ["r"] }, { from: 15 * MINUTE, until: 15 * MINUTE }),
    ];

    expect(cover(one, short, "5m")).toEqual({ r: "whole" });
  });
});
