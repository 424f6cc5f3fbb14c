import { describe, expect, it } from "vitest";
import type { LabelValues } from "../options.ts";
import type { LabelLimits } from "./label-set.ts";
import { LabelSets } from "./label-set.ts";

function createSets(limits: Partial<LabelLimits> = {}): { sets: LabelSets; reports: string[] } {
  const reports: string[] = [];
  const said = new Set<string>();
  const sets = new LabelSets({ maxValues: 200, maxSets: 2000, maxLabels: 20, ...limits }, (key, message) => {
    if (!said.has(key)) reports.push(message);
    said.add(key);
  });
  return { sets, reports };
}

describe("LabelSets", () => {
  it("adds labels to those of the parent; the inner value of a name counts", () => {
    const { sets } = createSets();
    const outer = sets.merge(sets.empty, { route: "/a", region: "eu" });

    const inner = sets.merge(outer, { route: "/b", step: 2 });

    expect(inner.record).toEqual({ region: "eu", route: "/b", step: "2" });
    expect(outer.record).toEqual({ region: "eu", route: "/a" });
  });

  it("gives one object for one content, whatever the order and spelling", () => {
    const { sets } = createSets();

    const first = sets.merge(sets.empty, { a: 1, b: true });
    const second = sets.merge(sets.merge(sets.empty, { b: "true" }), { a: "1" });

    expect(second).toBe(first);
    expect(first.labels.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("does not give a caller's changed object the labels of before", () => {
    const { sets } = createSets();
    const labels: Record<string, string> = { route: "/a" };
    sets.merge(sets.empty, labels);

    labels.route = "/b";

    expect(sets.merge(sets.empty, labels).record).toEqual({ route: "/b" });
  });

  it("replaces characters that servers refuse in names", () => {
    const { sets } = createSets();

    expect(sets.merge(sets.empty, { "my-tag": "x", "1st": "y", "a.b c": "z" }).record).toEqual({
      _1st: "y",
      a_b_c: "z",
      my_tag: "x",
    });
  });

  it("leaves out nothing, empty texts, reserved names and what is no value, and says the mistakes once", () => {
    const { sets, reports } = createSets();
    const labels = {
      a: undefined,
      b: null,
      c: "",
      __name__: "x",
      d: {},
      e: Symbol("e"),
      f: () => 1,
      ok: "1",
    };

    expect(sets.merge(sets.empty, labels as unknown as LabelValues).record).toEqual({ ok: "1" });
    expect(reports).toEqual(['label "__name__" ignored: its name or value is not valid']);
  });

  it("cuts values at 2048 bytes and never through a character", () => {
    const { sets } = createSets();
    const readValue = (v: string): string => sets.merge(sets.empty, { v }).record.v ?? "";

    expect(readValue("x".repeat(2048))).toHaveLength(2048);
    expect(Buffer.byteLength(readValue("x".repeat(2049)))).toBeLessThanOrEqual(2048);
    expect(Buffer.byteLength(readValue("€".repeat(700)))).toBeLessThanOrEqual(2048);
    expect(readValue(`x${"😀".repeat(600)}`)).toMatch(/^x(😀)+$/u);
  });

  it("keeps the last value within the limit apart and folds the first beyond", () => {
    const { sets, reports } = createSets({ maxValues: 3 });
    const readValue = (user: number): string | undefined => sets.merge(sets.empty, { user }).record.user;

    expect([1, 2, 3, 4, 5, 3].map(readValue)).toEqual(["1", "2", "3", "__overflow__", "__overflow__", "3"]);
    expect(reports).toEqual([
      "label user has more than 3 values (maxLabelValues): further ones become __overflow__",
    ]);
  });

  it("counts the values of each name apart", () => {
    const { sets } = createSets({ maxValues: 1 });

    sets.merge(sets.empty, { user: 1 });

    expect(sets.merge(sets.empty, { user: 2, route: "/a" }).record).toEqual({
      user: "__overflow__",
      route: "/a",
    });
  });

  it("bounds the number of sets, however values are combined", () => {
    const { sets, reports } = createSets({ maxSets: 10 });
    const seen = new Set<unknown>();

    for (let a = 0; a < 50; a++) for (let b = 0; b < 50; b++) seen.add(sets.merge(sets.empty, { a, b }));

    expect(seen.size).toBeLessThanOrEqual(21);
    expect(reports).toEqual([expect.stringContaining("more than 10 label sets (maxLabelSets)")]);
  });

  it("bounds the labels of one set and the names of one program", () => {
    const { sets, reports } = createSets({ maxLabels: 2 });

    expect(sets.merge(sets.empty, { a: 1, b: 2, c: 3 }).record).toEqual({ a: "1", b: "2" });
    expect(sets.merge(sets.merge(sets.empty, { a: 1, b: 2 }), { b: 3 }).record).toEqual({ a: "1", b: "3" });
    for (let name = 0; name < 100; name++) sets.merge(sets.empty, { [`n${name}`]: 1 });
    expect(sets.merge(sets.empty, { n99: 1 })).toBe(sets.empty);
    expect(reports).toHaveLength(1);
  });

  it("takes nothing at all for no labels", () => {
    const { sets } = createSets();

    expect(sets.merge(sets.empty, null as unknown as LabelValues)).toBe(sets.empty);
    expect(sets.merge(sets.empty, {})).toBe(sets.empty);
  });
});
