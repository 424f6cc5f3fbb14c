import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { hashLabels } from "../store/hash-profile.ts";
import { Refusal } from "./refusal.ts";
import { SeriesBudget, type SeriesReservation } from "./series-budget.ts";

const series = (pod: string) => labelSetFromRecord({ pod });

function createBudget(known: readonly string[] = []) {
  const stored = new Set(known.map((pod) => hashLabels(series(pod))));
  const budget = new SeriesBudget({
    hasSeries: (_tenant, id) => stored.has(id),
    seriesCount: () => stored.size,
  });
  return {
    stored,
    reserve: (pods: readonly string[], maxSeries = 2, tenant = "t") =>
      budget.reserve(tenant, pods.map(series), maxSeries),
  };
}

describe("SeriesBudget", () => {
  it("takes new series up to the limit and refuses one more, naming both numbers", () => {
    const { reserve } = createBudget();

    expect(reserve(["a", "b"])).not.toBeInstanceOf(Refusal);
    expect(reserve(["c"])).toMatchObject({
      reason: "series_limit",
      message: expect.stringContaining("Maximum active series limit exceeded (3/2)"),
    });
  });

  it("takes series that are known or under way when the limit is reached", () => {
    const { reserve } = createBudget(["a"]);
    reserve(["b"]);

    expect(reserve(["a", "b", "b"])).not.toBeInstanceOf(Refusal);
  });

  it("makes room for all series of a profile or for none", () => {
    const { reserve } = createBudget(["a"]);

    expect(reserve(["b", "c"])).toBeInstanceOf(Refusal);
    expect(reserve(["b"])).not.toBeInstanceOf(Refusal);
  });

  it("gives back the room of what was not stored, once the last who asked for it is done", () => {
    const { reserve } = createBudget(["a"]);
    const first = reserve(["b"]) as SeriesReservation;
    const second = reserve(["b"]) as SeriesReservation;

    first.release();
    expect(reserve(["c"])).toBeInstanceOf(Refusal);
    second.release();
    expect(reserve(["c"])).not.toBeInstanceOf(Refusal);
  });

  it("does not count a series twice once it is stored", () => {
    const { reserve, stored } = createBudget(["a"]);
    const reservation = reserve(["b"], 3) as SeriesReservation;

    stored.add(hashLabels(series("b")));
    reservation.release();

    expect(reserve(["c"], 3)).not.toBeInstanceOf(Refusal);
  });

  it("keeps tenants apart, and has no limit at 0", () => {
    const { reserve } = createBudget();
    reserve(["a"], 1, "one");

    expect(reserve(["b"], 1, "two")).not.toBeInstanceOf(Refusal);
    expect(reserve(["b", "c", "d"], 0, "one")).not.toBeInstanceOf(Refusal);
  });
});
