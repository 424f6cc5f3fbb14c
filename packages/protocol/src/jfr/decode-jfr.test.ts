import { describe, expect, it } from "vitest";
import { messageField, varintField } from "../pprof/raw-pprof.fixture.ts";
import type { Profile } from "../profile/profile.ts";
import { totalValues } from "../profile/total-values.ts";
import { type DecodeJfrOptions, decodeJfr } from "./decode-jfr.ts";
import {
  allocation,
  event,
  executionSample,
  integer,
  monitorEnter,
  RAW_POOLS,
  RAW_TYPES,
  type RawChunk,
  RUNNABLE,
  rawChunk,
  SLEEPING,
  setting,
  stackTrace,
  TYPE,
  utf8,
  wallSample,
} from "./raw-jfr.fixture.ts";

const OPTIONS: DecodeJfrOptions = { sampleRateHz: 100, startUnixNanos: 5_000n, endUnixNanos: 7_000n };

const decode = (chunk: RawChunk = {}, options: Partial<DecodeJfrOptions> = {}) =>
  decodeJfr(rawChunk(chunk), { ...OPTIONS, ...options });

/** Stacks from the root with the first value, and labels behind them. */
const stacksOf = (profile: Profile): readonly string[] => {
  const { samples, labels, locations, lines, functions, strings } = profile;
  return Array.from({ length: samples.length }, (_, row) => {
    const frames = Array.from(
      samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]),
      (location) => {
        const line = locations.lineStart[location]!;
        return `${strings[functions.name[lines.function[line]!]!]}:${lines.line[line]}`;
      },
    );
    const pairs: string[] = [];
    for (let label = samples.labelStart[row]!; label < samples.labelStart[row + 1]!; label++) {
      pairs.push(`${strings[labels.key[label]!]}=${strings[labels.text[label]!]}`);
    }
    const width = profile.sampleTypes.length;
    const values = Array.from(samples.values.subarray(row * width, (row + 1) * width), String);
    return [frames.reverse().join(" "), values.join(" "), ...pairs.sort()].join(" | ");
  });
};

const only = ({ profiles }: ReturnType<typeof decodeJfr>) => {
  expect(profiles).toHaveLength(1);
  return profiles[0]!;
};

const WORK = "org/shop/Till.main:3 org/shop/Till.work:12";

describe("decodeJfr", () => {
  it("makes a CPU profile of execution samples, leaf first, each as long as the time between two", () => {
    const { name, profile } = only(decode({ events: [1, 2, 1].map((id) => executionSample(id)) }));

    expect(name).toBe("process_cpu");
    expect(profile).toMatchObject({
      sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
      periodType: { type: "cpu", unit: "nanoseconds" },
      period: 10_000_000n,
      timeUnixNanos: 5_000n,
      durationNanos: 2_000n,
    });
    expect(stacksOf(profile)).toEqual([`${WORK} | 20000000`, "org/shop/Till.main:4 | 10000000"]);
  });

  it.for([
    [100, 10_000_000n],
    [3, 333_333_333n],
    [1_000_000_000, 1n],
  ] as const)("counts a sample at %i Hz as %i ns", ([sampleRateHz, nanos]) => {
    expect(totalValues(only(decode({}, { sampleRateHz })).profile)).toEqual([nanos]);
  });

  it("counts no duration for a recording that ends before it starts", () => {
    expect(only(decode({}, { endUnixNanos: 1n })).profile.durationNanos).toBe(0n);
  });

  it("leaves sleeping threads out of the CPU profile, and counts states that it does not know", () => {
    const events = [executionSample(1, SLEEPING), executionSample(1, RUNNABLE), executionSample(2, 99)];

    expect(totalValues(only(decode({ events })).profile)).toEqual([20_000_000n]);
  });

  it("makes a wall profile as well when the recording says so, even behind the samples", () => {
    const events = [executionSample(1, SLEEPING), executionSample(2), setting("event", "wall")];

    const { event: mode, profiles } = decode({ events });

    expect(mode).toBe("wall");
    expect(profiles.map(({ name, profile }) => [name, ...totalValues(profile)])).toEqual([
      ["wall", 20_000_000n],
      ["process_cpu", 10_000_000n],
    ]);
  });

  it.for([
    [
      "wall",
      [
        ["wall", 120_000_000n],
        ["process_cpu", 50_000_000n],
      ],
    ],
    ["itimer", [["wall", 120_000_000n]]],
  ] as const)("counts wall-clock samples by their number under event=%s", ([mode, expected]) => {
    const events = [setting("event", mode), wallSample(1, RUNNABLE, 5), wallSample(1, SLEEPING, 7)];

    const { profiles } = decode({ events });

    expect(profiles.map(({ name, profile }) => [name, ...totalValues(profile)])).toEqual(expected);
  });

  it("counts events and what they measured", () => {
    const { profiles } = decode({
      events: [allocation(1, 2n ** 60n), allocation(1, 24), monitorEnter(2, 30)],
    });

    expect(profiles.map(({ name, profile }) => [name, ...stacksOf(profile)])).toEqual([
      ["memory", `${WORK} | 2 ${2n ** 60n + 24n}`],
      ["mutex", "org/shop/Till.main:4 | 1 30"],
    ]);
  });

  it("turns ticks into nanoseconds", () => {
    const { profile } = only(
      decode({ events: [monitorEnter(1, 9_000_000_000_000n)], ticksPerSecond: 3_000_000_000n }),
    );

    expect(totalValues(profile)).toEqual([1n, 3_000_000_000_000n]);
  });

  it("sums the chunks of a recording, whose ids are their own", () => {
    const pools = RAW_POOLS.map((pool) =>
      pool.type === TYPE.stackTrace
        ? { ...pool, constants: [[2, stackTrace([2n ** 60n, 12], [7, 3])] as const] }
        : pool,
    );
    const chunks = [rawChunk(), rawChunk({ pools, events: [executionSample(2)] })];

    const { profile } = only(decodeJfr(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), OPTIONS));

    expect(stacksOf(profile)).toEqual([`${WORK} | 20000000`]);
  });

  it("keeps events without a stack, and frames without a method", () => {
    const pools = RAW_POOLS.map((pool) =>
      pool.type === TYPE.method ? { ...pool, constants: [[7, [5, 2]] as const] } : pool,
    );

    const { profile } = only(decode({ pools, events: [0, 99, 1].map((id) => executionSample(id)) }));

    expect(stacksOf(profile)).toEqual([
      "[unknown]:0 | 20000000",
      "org/shop/Till.main:3 [unknown]:12 | 10000000",
    ]);
  });

  it("has no profile for a recording without such events", () => {
    expect(decode({ events: [setting("event", "itimer")] })).toEqual({ event: "itimer", profiles: [] });
  });

  it("reads strings in every encoding, and skips what it does not need", () => {
    const types = [
      ...RAW_TYPES.filter(({ id }) => id !== TYPE.threadState),
      {
        id: TYPE.threadState,
        name: "jdk.types.ThreadState",
        fields: [
          { name: "before", type: TYPE.string, array: true as const },
          { name: "ratio", type: TYPE.float },
          { name: "exact", type: TYPE.double },
          { name: "frame", type: TYPE.stackFrame },
          { name: "name", type: TYPE.string },
        ],
      },
    ];
    const strings = [[0], [1], [2, 9], utf8("é"), [4, 2, ...integer(0x20ac), 0x41], [5, 2, 0xe9, 0x80]];
    const before = [...integer(strings.length), ...strings.flat(), ...new Array<number>(4 + 8).fill(1), 7, 3];
    const sleeping = [
      4,
      ...integer(14),
      ...[..."STATE_SLEEPING"].flatMap((char) => integer(char.charCodeAt(0))),
    ];
    const pools = RAW_POOLS.map((pool) =>
      pool.type === TYPE.threadState
        ? {
            ...pool,
            constants: [
              [1, [...before, ...utf8("STATE_RUNNABLE")]],
              [2, [...before, ...sleeping]],
            ] as const,
          }
        : pool,
    );

    const { profile } = only(
      decode({ types, pools, events: [executionSample(1, 1), executionSample(1, 2)] }),
    );

    expect(totalValues(profile)).toEqual([10_000_000n]);
  });

  it.for([
    ["Latin-1 beyond ASCII", [5, 3, 0x6d, 0xe9, 0x80], "mé\u0080"],
    ["Latin-1 that is ASCII", [5, 2, 0x6d, 0x6e], "mn"],
    ["UTF-16 units", [4, 3, 0x6d, ...integer(0xd83d), ...integer(0xde00)], "m😀"],
    ["UTF-8", utf8("m😀"), "m😀"],
    ["bytes that are not UTF-8", [3, 2, 0x6d, 0xff], "m\ufffd"],
    ["an empty string", [1], ""],
    ["no string", [0], ""],
  ] as const)("reads a name in %s", ([, bytes, name]) => {
    const pools = RAW_POOLS.map((pool) =>
      pool.type === TYPE.symbol
        ? {
            ...pool,
            constants: [
              [1, utf8("C")],
              [2, [...bytes]],
              [3, utf8("w")],
            ] as const,
          }
        : pool,
    );

    const { profile } = only(decode({ pools, events: [executionSample(2)] }));

    expect(stacksOf(profile)).toEqual([`C.${name}:4 | 10000000`]);
  });

  it("reads a setting whose texts are constants", () => {
    const pools = [
      ...RAW_POOLS,
      {
        type: TYPE.string,
        constants: [
          [8, utf8("event")],
          [9, utf8("wall")],
        ] as const,
      },
    ];

    expect(decode({ pools, events: [event(TYPE.setting, [1], [2, 8], [2, 9])] }).event).toBe("wall");
  });

  it("gives no line to frames without one", () => {
    const pools = [
      {
        type: TYPE.stackTrace,
        constants: [
          [1, stackTrace([7, -1])],
          [2, stackTrace([7, 0])],
        ] as const,
      },
      ...RAW_POOLS.slice(1),
    ];

    const { profile } = only(decode({ pools, events: [executionSample(1), executionSample(2)] }));

    expect(stacksOf(profile)).toEqual(["org/shop/Till.main:0 | 20000000"]);
  });
});

describe("decodeJfr with labels", () => {
  const entry = (id: number, ...value: number[][]) => messageField(id, ...value);
  const text = (id: number, value: string) =>
    entry(2, varintField(1, id), messageField(2, [...new TextEncoder().encode(value)]));
  const labelsSnapshot = Uint8Array.from(
    [
      entry(1, varintField(1, 1), messageField(2, entry(1, varintField(1, 2), varintField(2, 3)))),
      text(2, "route"),
      text(3, "/cart"),
      text(4, "GET /cart"),
    ].flat(),
  );
  const stacksWith = (ids: readonly (number | bigint)[], snapshot?: Uint8Array) =>
    stacksOf(
      only(decode({ events: [executionSample(1, RUNNABLE, ids)] }, { labelsSnapshot: snapshot })).profile,
    );

  it("labels samples with their context, span and trace", () => {
    const ids = [1, -1, 4, 0x4bf92f3577b34da6n, 2];

    expect(stacksWith(ids, labelsSnapshot)).toEqual([
      `${WORK} | 10000000 | profile_id=ffffffffffffffff | route=/cart | span_name=GET /cart` +
        " | trace_id=4bf92f3577b34da60000000000000002",
    ]);
  });

  it("keeps ids of spans and traces when there is no snapshot", () => {
    expect(stacksWith([1, 0xf0, 4, 0, 2])).toEqual([
      `${WORK} | 10000000 | profile_id=00000000000000f0 | trace_id=00000000000000000000000000000002`,
    ]);
  });

  it("keeps samples of different labels apart, and those of equal ones together", () => {
    const events = [[1], [0], [7], [1]].map(([context]) =>
      executionSample(1, RUNNABLE, [context!, 0, 0, 0, 0]),
    );

    expect(stacksOf(only(decode({ events }, { labelsSnapshot })).profile)).toEqual([
      `${WORK} | 20000000 | route=/cart`,
      `${WORK} | 20000000`,
    ]);
  });
});
