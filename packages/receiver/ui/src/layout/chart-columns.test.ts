import { describe, expect, it } from "vitest";
import { findArrivingFrom, rankGroups, toChartColumns } from "./chart-columns.ts";

const grid = { fromMs: 0, untilMs: 60_000, stepSeconds: 15 };
const perSecond = (value: number, seconds: number): number => value / seconds;

describe("toChartColumns", () => {
  const series = [
    {
      labels: {},
      points: [
        { timeMs: 15_000, value: 30 },
        { timeMs: 60_000, value: 15 },
      ],
    },
  ];

  it("lays sparse points on the grid as rates", () => {
    expect(toChartColumns(series, grid, { toPoint: perSecond, missing: 0, arrivingFromMs: 60_000 })).toEqual({
      seconds: [0, 15, 30, 45, 60],
      values: [[0, 2, 0, 0, 1]],
    });
  });

  it("leaves gaps where a state was not reported", () => {
    expect(
      toChartColumns(series, grid, { toPoint: perSecond, missing: null, arrivingFromMs: 60_000 }).values[0],
    ).toEqual([null, 2, null, null, 1]);
  });

  it("draws no zeros where data may still arrive", () => {
    const early = [
      {
        labels: {},
        points: [
          { timeMs: 15_000, value: 30 },
          { timeMs: 45_000, value: 15 },
        ],
      },
    ];

    expect(
      toChartColumns(early, grid, { toPoint: perSecond, missing: 0, arrivingFromMs: 30_000 }).values[0],
    ).toEqual([0, 2, 0, 1, null]);
    expect(findArrivingFrom(100_000, grid)).toBe(70_000);
    expect(findArrivingFrom(100_000, { ...grid, stepSeconds: 60 })).toBe(40_000);
  });

  it("drops points beside the grid", () => {
    const beside = [
      {
        labels: {},
        points: [
          { timeMs: -15_000, value: 1 },
          { timeMs: 75_000, value: 1 },
        ],
      },
    ];

    expect(
      toChartColumns(beside, grid, { toPoint: perSecond, missing: 0, arrivingFromMs: 60_000 }).values[0],
    ).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("rankGroups", () => {
  const series = [
    { labels: { pod: "b" }, points: [{ timeMs: 1, value: 1 }] },
    {
      labels: { pod: "a" },
      points: [
        { timeMs: 1, value: 2 },
        { timeMs: 2, value: 4 },
      ],
    },
    { labels: {}, points: [{ timeMs: 1, value: 1 }] },
  ];

  it("ranks by sum and names what lacks the label", () => {
    expect(rankGroups(series, "pod", false)).toEqual([
      { value: "a", amount: 6, share: 0.75 },
      { value: "", amount: 1, share: 0.125 },
      { value: "b", amount: 1, share: 0.125 },
    ]);
  });

  it("averages states", () => {
    expect(rankGroups(series, "pod", true)[0]).toEqual({ value: "a", amount: 3, share: 0.6 });
  });
});
