import { describe, expect, it } from "vitest";
import { Governor } from "./governor.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";

function createGovernor(sampleRateHz = 100, budgetPercent = 5) {
  const rates: number[] = [];
  const { diagnostics, lines } = createRecordingDiagnostics();
  const governor = new Governor({
    sampleRateHz,
    budgetPercent,
    setSampleRate: (hz) => void rates.push(hz),
    diagnostics,
  });
  /** Windows of 10 s that cost so much each, without samples. */
  const run = (count: number, percent: number) => {
    for (let i = 0; i < count; i++) governor.observe(10_000, percent * 60, percent * 40);
  };
  return { governor, lines, rates, run };
}

describe("Governor", () => {
  it("halves the rate while the cost is above the budget, down to a sixteenth, and says so once", () => {
    const { lines, rates, run } = createGovernor();

    run(9, 20);

    expect(rates).toEqual([50, 25, 13, 6]);
    expect(lines).toEqual([
      "warn pyroscope: profiling costs 20.9 % of a core (overheadBudget=5): fewer samples are taken until it fits",
    ]);
  });

  it("doubles it again when there is room, up to what was asked for, and says so once", () => {
    const { lines, rates, run } = createGovernor();
    run(2, 20);
    run(9, 0.1);

    expect(rates).toEqual([50, 25, 50, 100]);
    expect(lines.slice(1)).toEqual([
      "info pyroscope: profiling costs less than its budget again: back to 100 samples a second",
    ]);
  });

  it("leaves the rate where twice of it would not fit", () => {
    const { rates, run } = createGovernor();
    run(1, 20);
    run(9, 2);

    expect(rates).toEqual([50]);
  });

  it("counts samples: 1,000 a second are beyond a budget of 5 %, 100 are not", () => {
    const many = createGovernor(1000);
    const few = createGovernor(100);
    for (const { run } of [many, few]) run(5, 0);

    expect([many.rates, few.rates]).toEqual([[500], []]);
  });

  it("judges no short stretch: a flush after each call of 100 ms is no sign of overload", () => {
    const { governor, rates } = createGovernor();

    for (let call = 0; call < 99; call++) governor.observe(100, 20, 0);
    expect(governor.status.percent).toBeUndefined();
    governor.observe(100, 20, 0);

    expect(governor.status).toEqual({
      percent: 20.9,
      budgetPercent: 5,
      sampleRateHz: 50,
      threadMs: 2000,
      helperMs: 0,
    });
    expect(rates).toEqual([50]);
  });

  it("does nothing with a budget of 100", () => {
    const { rates, run } = createGovernor(100, 100);
    run(3, 90);

    expect(rates).toEqual([]);
  });

  it("never asks for less than one sample a second", () => {
    const { rates, run } = createGovernor(2);
    run(5, 50);

    expect(rates).toEqual([1]);
  });
});
