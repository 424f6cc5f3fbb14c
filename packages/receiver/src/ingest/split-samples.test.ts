import {
  formatLabels,
  type Label,
  labelSetFromRecord,
  type Profile,
  ProfileBuilder,
} from "@pyroscope-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "./refusal.ts";
import { type SampleGroup, splitSamples } from "./split-samples.ts";

interface DrawnSample {
  readonly values: readonly bigint[];
  readonly labels?: readonly { readonly key: string; readonly text?: string; readonly number?: number }[];
}

/** Each sample has a stack of its own, so that the builder sums none. */
function profileOf(samples: readonly DrawnSample[]): Profile {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: "cpu", unit: "nanoseconds" },
      { type: "samples", unit: "count" },
    ],
  });
  for (const [i, { values, labels }] of samples.entries()) {
    const location = builder.location({ lines: [{ function: builder.function({ name: `f${i}` }) }] });
    builder.addSample([location], values, labels);
  }
  return builder.build();
}

const text = (record: Record<string, string>) =>
  Object.entries(record).map(([key, value]) => ({ key, text: value }));
const series = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });
const split = (samples: readonly DrawnSample[], labels = series) =>
  splitSamples(profileOf(samples), labels, (final) => final) as readonly SampleGroup[];
const show = (groups: readonly SampleGroup[]) =>
  groups.map(({ labels, sampleRows }) => [
    formatLabels(labels),
    sampleRows === undefined ? "all" : [...sampleRows],
  ]);

describe("splitSamples", () => {
  it("makes one series for each distinct set of text labels", () => {
    const groups = split([
      { values: [1n, 1n], labels: text({ route: "/a" }) },
      { values: [1n, 1n] },
      { values: [1n, 1n], labels: text({ route: "/a" }) },
      { values: [1n, 1n], labels: text({ route: "/b" }) },
    ]);

    expect(show(groups)).toEqual([
      ['{__name__="cpu", route="/a", service_name="shop"}', [0, 2]],
      ['{__name__="cpu", service_name="shop"}', [1]],
      ['{__name__="cpu", route="/b", service_name="shop"}', [3]],
    ]);
  });

  it("names no rows where every sample belongs to one series", () => {
    expect(show(split([{ values: [1n, 0n] }, { values: [0n, 1n] }]))).toEqual([
      [formatLabels(series), "all"],
    ]);
  });

  it("joins samples whose labels differ in their order only, or in a label that the series has", () => {
    const groups = split(
      [
        { values: [1n, 1n], labels: text({ a: "1", b: "2", env: "x" }) },
        { values: [1n, 1n], labels: text({ b: "2", a: "1" }) },
        { values: [1n, 1n], labels: text({ b: "2", a: "1", env: "y" }) },
      ],
      labelSetFromRecord({ __name__: "cpu", env: "prod", service_name: "shop" }),
    );

    expect(show(groups)).toEqual([
      ['{__name__="cpu", a="1", b="2", env="prod", service_name="shop"}', "all"],
    ]);
  });

  it("never lets a sample name the profile or the service, nor set a label of the server", () => {
    const labels = text({
      __name__: "x",
      service_name: "x",
      __profile_type__: "x",
      __session_id__: "x",
      ok: "1",
    });

    expect(show(split([{ values: [1n, 1n], labels }], []))).toEqual([['{ok="1"}', "all"]]);
  });

  it("takes the first of two labels of one name in a sample", () => {
    const labels = [...text({ a: "1" }), ...text({ a: "2" })];

    expect(show(split([{ values: [1n, 1n], labels }], []))).toEqual([['{a="1"}', "all"]]);
  });

  it("takes names of JavaScript's objects for names like any other", () => {
    const labels = [{ key: "__proto__", text: "x" }, ...text({ constructor: "y", toString: "z" })];

    expect(show(split([{ values: [1n, 1n], labels }], []))).toEqual([
      ['{__proto__="x", constructor="y", toString="z"}', "all"],
    ]);
  });

  it("leaves number labels out of the series", () => {
    const labels = [
      { key: "bytes", number: 512 },
      { key: "route", text: "/a" },
    ];

    expect(show(split([{ values: [1n, 1n], labels }], []))).toEqual([['{route="/a"}', "all"]]);
  });

  it("leaves out samples that are zero in every value", () => {
    const groups = split([{ values: [0n, 0n] }, { values: [0n, 2n ** 62n] }, { values: [0n, 0n] }]);

    expect(show(groups)).toEqual([[formatLabels(series), [1]]]);
    expect(split([{ values: [0n, 0n] }])).toEqual([]);
  });

  it("refuses the whole profile for one series that is refused", () => {
    const profile = profileOf([
      { values: [1n, 1n], labels: text({ a: "good" }) },
      { values: [1n, 1n], labels: text({ a: "bad" }) },
    ]);
    const refuseBad = (labels: readonly Label[]) =>
      labels.some(({ value }) => value === "bad") ? new Refusal("invalid_labels", "bad") : labels;

    expect(splitSamples(profile, [], refuseBad)).toEqual(new Refusal("invalid_labels", "bad"));
  });

  it("joins series that become one when their names are rewritten", () => {
    const profile = profileOf([
      { values: [1n, 1n], labels: text({ "a.b": "1" }) },
      { values: [1n, 1n], labels: text({ a_b: "1" }) },
    ]);
    const groups = splitSamples(profile, [], (labels) =>
      labels.map(({ name, value }) => ({ name: name.replaceAll(".", "_"), value })),
    ) as readonly SampleGroup[];

    expect(show(groups)).toEqual([['{a_b="1"}', "all"]]);
  });

  it("puts each sample that is not zero into exactly one group, in order", () => {
    const sample = fc.record({
      values: fc.tuple(fc.bigInt(0n, 2n), fc.bigInt(0n, 1n)),
      labels: fc.array(
        fc.record({ key: fc.constantFrom("a", "b", "span_id"), text: fc.constantFrom("x", "y") }),
        {
          maxLength: 3,
        },
      ),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
        const rows = split(samples).map(({ sampleRows }) => [...(sampleRows ?? samples.keys())]);

        for (const group of rows) expect(group).toEqual(group.toSorted((a, b) => a - b));
        expect(rows.flat().sort((a, b) => a - b)).toEqual(
          [...samples.keys()].filter((row) => samples[row]!.values.some((value) => value > 0n)),
        );
      }),
    );
  });
});

describe("splitSamples with spans and traces", () => {
  const SPAN = "00000000000000ff";
  const TRACE = "000000000000000100000000000000aa";
  const ids = (groups: readonly SampleGroup[]) =>
    groups.map(({ spanIds, traceIds }) => [spanIds && [...spanIds], traceIds && [...traceIds]]);

  it("puts ids into columns beside the samples, not into the series", () => {
    const groups = split([
      { values: [1n, 1n], labels: text({ route: "/a", span_id: SPAN, trace_id: TRACE }) },
      { values: [1n, 1n] },
      { values: [1n, 1n], labels: text({ route: "/a" }) },
    ]);

    expect(show(groups)).toEqual([
      ['{__name__="cpu", route="/a", service_name="shop"}', [0, 2]],
      [formatLabels(series), [1]],
    ]);
    expect(ids(groups)).toEqual([
      [
        [255n, 0n],
        [1n, 0xaan, 0n, 0n],
      ],
      [undefined, undefined],
    ]);
  });

  it("reads profile_id as a span, and the first valid one of a sample", () => {
    const labels = text({ span_id: "nonsense", profile_id: SPAN });

    expect(ids(split([{ values: [1n, 1n], labels }]))).toEqual([[[255n], undefined]]);
  });

  it("takes an id that is not valid for none", () => {
    const labels = text({ span_id: "xyz", trace_id: SPAN });

    expect(ids(split([{ values: [1n, 1n], labels }]))).toEqual([[undefined, undefined]]);
  });

  it("takes ids of the series for samples without their own", () => {
    const own = labelSetFromRecord({ service_name: "shop", span_id: SPAN, trace_id: TRACE });
    const groups = split(
      [{ values: [1n, 1n] }, { values: [1n, 1n], labels: text({ span_id: "0000000000000001" }) }],
      own,
    );

    expect(show(groups)).toEqual([['{service_name="shop"}', "all"]]);
    expect(ids(groups)).toEqual([
      [
        [255n, 1n],
        [1n, 0xaan, 1n, 0xaan],
      ],
    ]);
  });
});
