import { describe, expect, it } from "vitest";
import { chooseHalves, hasOpenSides, resolveSides, withBaseline } from "./diff-sides.ts";
import { parseViewState } from "./url-state.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const view = { ...parseViewState(""), query: '{service_name="a"}' };

describe("resolveSides", () => {
  it("compares the halves of the page's range when nothing else is said", () => {
    const sides = resolveSides(view, NOW);

    expect(sides?.left.resolved).toEqual({ fromMs: NOW - HOUR, untilMs: NOW - HOUR / 2 });
    expect(sides?.right.resolved).toEqual({ fromMs: NOW - HOUR / 2, untilMs: NOW });
    expect(sides?.window).toEqual({ fromMs: NOW - HOUR, untilMs: NOW });
    expect(sides?.left.query).toBe('{service_name="a"}');
  });

  it("takes the period before B when only B is given", () => {
    const sides = resolveSides({ ...view, rightFrom: "now-10m", rightUntil: "now" }, NOW);

    expect(sides?.left.range).toEqual({ from: "now-20m", until: "now-10m" });
  });

  it("takes the page's range for B when only A is given", () => {
    const sides = resolveSides({ ...view, leftFrom: "now-3h", leftUntil: "now-2h" }, NOW);

    expect(sides?.right.range).toEqual({ from: "now-1h", until: "now" });
  });

  it("shows both sides on the timeline, however far apart", () => {
    const sides = resolveSides(
      { ...view, leftFrom: "now-8d", leftUntil: "now-7d", rightFrom: "now-1d", rightUntil: "now" },
      NOW,
    );

    expect(sides?.window.fromMs).toBeLessThan(NOW - 8 * 24 * HOUR);
    expect(sides?.window.untilMs).toBeGreaterThan(NOW);
  });

  it("gives each side its own query", () => {
    const sides = resolveSides({ ...view, rightQuery: '{env="b"}' }, NOW);

    expect([sides?.left.query, sides?.right.query]).toEqual(['{service_name="a"}', '{env="b"}']);
  });

  it("compares nothing when a range is none", () => {
    expect(resolveSides({ ...view, from: "soon" }, NOW)).toBeUndefined();
    expect(resolveSides({ ...view, leftFrom: "now", leftUntil: "now-1h" }, NOW)).toBeUndefined();
  });
});

describe("chooseHalves", () => {
  const page = { fromMs: 0, untilMs: 1_200_000 };
  const grid = { ...page, stepSeconds: 60 };
  const choose = (points: Readonly<Record<number, number>>) =>
    chooseHalves(page, grid, [
      {
        labels: {},
        points: Object.entries(points).map(([minute, value]) => ({ timeMs: Number(minute) * 60_000, value })),
      },
    ]);
  const halves = { left: { fromMs: 0, untilMs: 600_000 }, right: { fromMs: 600_000, untilMs: 1_200_000 } };

  it("halves the range when both halves have data, and when nothing has", () => {
    expect(choose({ 10: 1, 11: 1 })).toEqual(halves);
    expect(choose({})).toEqual(halves);
  });

  it("halves the part with data of a program that began to send late or ended early", () => {
    expect(choose({ 2: 0, 17: 1, 18: 1, 20: 1 })).toEqual({
      left: { fromMs: 960_000, untilMs: 1_080_000 },
      right: { fromMs: 1_080_000, untilMs: 1_200_000 },
    });
    expect(choose({ 1: 1, 3: 1 })).toEqual({
      left: { fromMs: 0, untilMs: 60_000 },
      right: { fromMs: 60_000, untilMs: 180_000 },
    });
  });

  it("does not take the data of a bucket in the middle for that of both halves", () => {
    const late = { ...page, untilMs: 1_230_000 };
    const points = [11, 12, 13, 14].map((minute) => ({ timeMs: minute * 60_000, value: 1 }));

    expect(chooseHalves(late, grid, [{ labels: {}, points }])).toEqual({
      left: { fromMs: 600_000, untilMs: 720_000 },
      right: { fromMs: 720_000, untilMs: 840_000 },
    });
  });

  it("does not split one bucket", () => {
    expect(choose({ 20: 5 })).toEqual(halves);
  });

  it("is what sides without ranges are", () => {
    const chosen = {
      left: { fromMs: NOW - 3, untilMs: NOW - 2 },
      right: { fromMs: NOW - 2, untilMs: NOW },
    };

    expect(resolveSides(view, NOW, chosen)?.left.resolved).toEqual(chosen.left);
    expect(resolveSides(view, NOW, chosen)?.right.resolved).toEqual(chosen.right);
    expect([hasOpenSides(view), hasOpenSides({ ...view, leftFrom: "1", leftUntil: "2" })]).toEqual([
      true,
      false,
    ]);
  });
});

describe("withBaseline", () => {
  it("shifts B, which follows the page, by the offset and stays relative", () => {
    expect(withBaseline(view, 24 * HOUR, NOW)).toEqual({
      leftFrom: "now-25h",
      leftUntil: "now-1d",
      rightFrom: "now-1h",
      rightUntil: "now",
    });
  });

  it("takes the period before a B that was brushed", () => {
    const right = { rightFrom: String(NOW - 1000), rightUntil: String(NOW) };

    expect(withBaseline({ ...view, ...right }, undefined, NOW)).toEqual({
      leftFrom: String(NOW - 2000),
      leftUntil: String(NOW - 1000),
      ...right,
    });
  });
});
