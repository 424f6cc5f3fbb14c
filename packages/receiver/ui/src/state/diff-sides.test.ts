import { describe, expect, it } from "vitest";
import { resolveSides, withBaseline } from "./diff-sides.ts";
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
