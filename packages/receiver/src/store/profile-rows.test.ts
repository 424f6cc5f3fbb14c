import { labelSetFromRecord, ProfileBuilder } from "@pyroscope-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AdmittedProfile } from "./admission.ts";
import { ProfileHasher } from "./hash-profile.ts";
import { countSampleRows, createProfileRows, type ProfileRows } from "./profile-rows.ts";

interface Row {
  readonly stack: number;
  readonly values: readonly [bigint, bigint];
  readonly span: bigint;
  readonly trace: bigint;
}

/** A profile of two sample types; each row has a frame of its own number. */
function admit(rows: readonly Row[], sampleRows?: Uint32Array): AdmittedProfile {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: "cpu", unit: "nanoseconds" },
      { type: "samples", unit: "count" },
    ],
    periodType: { type: "cpu", unit: "nanoseconds" },
  });
  rows.forEach(({ stack, values }, i) => {
    const fn = builder.function({ name: `f${stack}` });
    const label = { key: "row", number: i, unit: "row" };
    builder.addSample([builder.location({ lines: [{ function: fn }] })], values, [label]);
  });
  const chosen = sampleRows === undefined ? rows : [...sampleRows].map((row) => rows[row]!);
  return {
    labels: labelSetFromRecord({ __name__: "process_cpu", service_name: "shop" }),
    timeUnixNanos: 0n,
    identity: { hi: 0n, lo: 1n },
    profile: builder.build(),
    sampleRows,
    spanIds: BigUint64Array.from(chosen, ({ span }) => span),
    traceIds: BigUint64Array.from(chosen.flatMap(({ trace }) => [trace, 7n])),
  };
}

function rowsOf(admitted: AdmittedProfile): ProfileRows {
  return createProfileRows(admitted, new ProfileHasher().hash(admitted.profile));
}

const arbitraryRow: fc.Arbitrary<Row> = fc.record({
  stack: fc.nat(3),
  values: fc.tuple(fc.bigInt(-(2n ** 55n), 2n ** 55n), fc.bigInt(-2n, 2n)),
  span: fc.bigInt(0n, 2n),
  trace: fc.bigInt(0n, 1n),
});

describe("createProfileRows", () => {
  it("has one row for each stack, span and trace, with the exact sum of their values", () => {
    fc.assert(
      fc.property(fc.array(arbitraryRow, { maxLength: 40 }), fc.boolean(), (input, isPart) => {
        const sampleRows = isPart ? Uint32Array.from(input.keys()).filter((row) => row % 3 !== 0) : undefined;
        const chosen = isPart ? input.filter((_, row) => row % 3 !== 0) : input;
        const rows = rowsOf(admit(input, sampleRows));

        for (const typeIndex of [0, 1] as const) {
          const expected = new Map<string, bigint>();
          for (const { stack, values, span, trace } of chosen) {
            const key = `${stack} ${span} ${trace}`;
            expected.set(key, (expected.get(key) ?? 0n) + values[typeIndex]);
          }
          const { group, value, total } = rows.types[typeIndex]!;
          const actual = [...group].map((g, i) => {
            const { stack, span, trace } = chosen[rows.groups.position[g]!]!;
            return [`${stack} ${span} ${trace}`, value[i]!] as const;
          });
          expect(new Map(actual)).toEqual(new Map([...expected].filter(([, sum]) => sum !== 0n)));
          expect(actual).toHaveLength(new Map(actual).size);
          expect(total).toBe([...expected.values()].reduce((sum, one) => sum + one, 0n));
        }
      }),
    );
  });

  it("names the profile types", () => {
    const rows = rowsOf(admit([{ stack: 0, values: [5n, 1n], span: 0n, trace: 0n }]));

    expect(rows.types.map(({ type }) => type)).toEqual([
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
      "process_cpu:samples:count:cpu:nanoseconds",
    ]);
    expect([rows.service, countSampleRows(rows)]).toEqual(["shop", 2]);
  });

  it("refuses a label name that stands twice", () => {
    const admitted = admit([]);
    const labels = [...admitted.labels, { name: "service_name", value: "again" }];

    expect(() => rowsOf({ ...admitted, labels })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it.for([
    ["the largest sum", [2n ** 63n - 2n, 1n], 2n ** 63n - 1n],
    ["the smallest sum", [-(2n ** 63n) + 1n, -1n], -(2n ** 63n)],
  ] as const)("takes %s of int64", ([, values, sum]) => {
    const rows = rowsOf(
      admit(values.map((value) => ({ stack: 0, values: [value, 0n], span: 0n, trace: 0n }))),
    );

    expect(rows.types[0]!.value).toEqual(BigInt64Array.of(sum));
  });

  it.for([
    ["above", [2n ** 63n - 1n, 1n]],
    ["below", [-(2n ** 63n), -1n]],
  ] as const)("refuses a sum %s int64, and a total of sums that are not", ([, values]) => {
    const inOne = values.map((value): Row => ({ stack: 0, values: [value, 0n], span: 0n, trace: 0n }));
    const inTwo = inOne.map((row, stack): Row => ({ ...row, stack }));

    for (const input of [inOne, inTwo]) {
      expect(() => rowsOf(admit(input))).toThrow(expect.objectContaining({ code: "OUT_OF_RANGE" }));
    }
  });
});
