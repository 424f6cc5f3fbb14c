import { describe, expect, it } from "vitest";
import { diffFromStacks } from "../testing/tree-from-stacks.ts";
import { chooseScale, filterChanges, judgeChanges, rankChanges } from "./change-ranking.ts";

const NEUTRAL = { seconds: 60, meanRatio: 1 };
const facts = { left: NEUTRAL, right: NEUTRAL };

describe("rankChanges", () => {
  it("ranks by weight, not by proportion", () => {
    const diff = diffFromStacks({ "m;busy": 100, "m;tiny": 1 }, { "m;busy": 140, "m;tiny": 4 });

    const ranked = rankChanges(diff, chooseScale(diff, "absolute", facts), "self");

    expect(ranked.map(({ name, delta }) => [name, delta])).toEqual([
      ["busy", 40],
      ["tiny", 3],
    ]);
  });

  it("says what is new, gone, grown and shrunk, and leaves out what stayed", () => {
    const diff = diffFromStacks(
      { gone: 1, grew: 1, shrank: 3, same: 1 },
      { fresh: 4, grew: 2, shrank: 1, same: 1 },
    );

    const ranked = rankChanges(diff, chooseScale(diff, "absolute", facts), "self");

    expect(Object.fromEntries(ranked.map(({ name, kind }) => [name, kind]))).toEqual({
      fresh: "new",
      shrank: "shrank",
      gone: "gone",
      grew: "grew",
    });
    expect(filterChanges(ranked, "new").map(({ name }) => name)).toEqual(["fresh"]);
  });

  it("calls no function new or gone that the other side has in its stacks", () => {
    const diff = diffFromStacks({ "inlined;callee": 10, split: 4 }, { inlined: 10, "split;part": 4 });
    const kinds = (measure: "self" | "total") =>
      Object.fromEntries(
        rankChanges(diff, chooseScale(diff, "absolute", facts), measure).map(({ name, kind }) => [
          name,
          kind,
        ]),
      );

    expect(kinds("self")).toEqual({ inlined: "grew", callee: "gone", split: "shrank", part: "new" });
    expect(kinds("total")).toEqual({ callee: "gone", part: "new" });
  });

  it("calls nothing new or gone beside a side without samples", () => {
    const ranked = (left: Record<string, number>, right: Record<string, number>) => {
      const diff = diffFromStacks(left, right);
      return rankChanges(diff, chooseScale(diff, "absolute", facts), "self").map(({ kind }) => kind);
    };

    expect(ranked({}, { a: 1 })).toEqual(["grew"]);
    expect(ranked({ a: 1 }, {})).toEqual(["shrank"]);
  });

  it("measures callers by what they call when asked to", () => {
    const diff = diffFromStacks({ "m;a": 1 }, { "m;a": 3 });
    const scale = chooseScale(diff, "absolute", facts);

    expect(rankChanges(diff, scale, "self").map(({ name }) => name)).toEqual(["a"]);
    expect(rankChanges(diff, scale, "total").map(({ name }) => name)).toEqual(["a", "m"]);
  });
});

describe("chooseScale", () => {
  const diff = diffFromStacks({ a: 10 }, { a: 20, b: 20 });

  it("compares shares of each side's whole", () => {
    expect(chooseScale(diff, "share", facts)).toEqual({ left: 1 / 10, right: 1 / 40 });
  });

  it("compares values per second of ranges of different lengths", () => {
    const sides = { left: { seconds: 10, meanRatio: 1 }, right: { seconds: 40, meanRatio: 1 } };

    expect(rankChanges(diff, chooseScale(diff, "rate", sides), "self")[0]).toMatchObject({
      name: "a",
      left: 1,
      right: 0.5,
    });
  });

  it("averages states", () => {
    const sides = { left: { seconds: 1, meanRatio: 0.5 }, right: { seconds: 1, meanRatio: 0.25 } };

    expect(chooseScale(diff, "absolute", sides)).toEqual({ left: 0.5, right: 0.25 });
  });

  it("brings no NaN from a side without samples", () => {
    const empty = diffFromStacks({}, { a: 1 });

    expect(rankChanges(empty, chooseScale(empty, "share", facts), "self")).toMatchObject([
      { name: "a", left: 0, right: 1, delta: 1, kind: "grew" },
    ]);
  });
});

describe("judgeChanges", () => {
  const judge = (left: Record<string, number>, right: Record<string, number>) => {
    const diff = diffFromStacks(left, right);
    return judgeChanges(rankChanges(diff, chooseScale(diff, "absolute", facts), "self"));
  };

  it("names the largest mover and how few functions explain its direction", () => {
    const verdict = judge({ a: 10, b: 10, c: 10 }, { a: 90, b: 20, c: 12 });

    expect(verdict.mover?.name).toBe("a");
    expect(verdict.explainingCount).toBe(1);
    expect(verdict.explainedRatio).toBeCloseTo(80 / 92);
  });

  it("does not take idle time or what was cut off for code", () => {
    expect(judge({ "(idle)": 100, work: 1 }, { "(idle)": 10, work: 40 }).mover?.name).toBe("work");
  });

  it("names nobody when nothing changed", () => {
    expect(judge({ a: 1 }, { a: 1 })).toEqual({ mover: undefined, explainingCount: 0, explainedRatio: 0 });
  });
});
