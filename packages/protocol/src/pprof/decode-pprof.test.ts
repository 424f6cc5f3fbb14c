import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { NO_FUNCTION, NO_MAPPING } from "../profile/profile.ts";
import { totalValues } from "../profile/total-values.ts";
import { formatTree } from "../testing/format-tree.ts";
import { decodePprof } from "./decode-pprof.ts";
import {
  messageField,
  RAW_STRINGS,
  rawPprof,
  rawSample,
  textField,
  varint,
  varintField,
} from "./raw-pprof.fixture.ts";

const label = (...fields: readonly number[][]) => messageField(3, ...fields);

describe("decodePprof", () => {
  it("reads a profile", () => {
    const profile = decodePprof(rawPprof());

    checkProfile(profile);
    expect(profile.sampleTypes).toEqual([{ type: "cpu", unit: "nanoseconds" }]);
    expect(formatTree(profile)).toEqual(["main total 5 self 5"]);
    expect(profile.lines.line[0]).toBe(7n);
    expect(profile.strings[profile.functions.file[0]!]).toBe("main.js");
  });

  it("reads the fields that stand for the whole profile", () => {
    const rest = [
      varintField(7, 3),
      varintField(8, 4),
      varintField(9, 1_700_000_000_123_456_789n),
      varintField(10, 15_000_000_000n),
      messageField(11, varintField(1, 1), varintField(2, 2)),
      varintField(12, 10_000_000),
      messageField(13, varint(3), varint(4)),
      varintField(13, 1),
      varintField(14, 1),
    ];

    const profile = decodePprof(rawPprof({ rest }));

    expect(profile).toMatchObject({
      dropFrames: "main",
      keepFrames: "main.js",
      timeUnixNanos: 1_700_000_000_123_456_789n,
      durationNanos: 15_000_000_000n,
      periodType: { type: "cpu", unit: "nanoseconds" },
      period: 10_000_000n,
      comments: ["main", "main.js", "cpu"],
      defaultSampleType: "cpu",
    });
  });

  it("leaves what is not given at its default", () => {
    expect(decodePprof(rawPprof())).toMatchObject({
      periodType: undefined,
      period: 0n,
      timeUnixNanos: 0n,
      durationNanos: 0n,
      comments: [],
      defaultSampleType: "",
    });
  });

  it("reads mappings, addresses and flags over the whole range of uint64", () => {
    const highest = 2n ** 64n - 1n;
    const mapping = messageField(
      3,
      varintField(1, 9),
      varintField(2, highest),
      varintField(3, 2n ** 63n),
      varintField(4, 4096),
      varintField(5, 4),
      varintField(6, 3),
      varintField(7, 1),
      varintField(10, 2),
    );
    const location = messageField(
      4,
      varintField(1, 1),
      varintField(2, 9),
      varintField(3, highest),
      varintField(5, 1),
    );

    const { mappings, locations } = decodePprof(rawPprof({ mappings: [mapping], locations: [location] }));

    expect(mappings).toEqual({
      length: 1,
      start: BigUint64Array.of(highest),
      limit: BigUint64Array.of(2n ** 63n),
      offset: BigUint64Array.of(4096n),
      file: Uint32Array.of(4),
      buildId: Uint32Array.of(3),
      flags: Uint8Array.of(0b1001),
    });
    expect(locations.mapping).toEqual(Int32Array.of(0));
    expect(locations.address).toEqual(BigUint64Array.of(highest));
    expect(locations.isFolded).toEqual(Uint8Array.of(1));
  });

  it("reads values, lines and start lines over the whole range of int64", () => {
    const lowest = -(2n ** 63n);
    const parts = {
      samples: [rawSample([1], [lowest]), rawSample([1], [2n ** 63n - 1n]), rawSample([1], [-1])],
      locations: [
        messageField(4, varintField(1, 1), messageField(4, varintField(1, 1), varintField(2, lowest))),
      ],
      functions: [messageField(5, varintField(1, 1), varintField(5, -2))],
    };

    const profile = decodePprof(rawPprof(parts));

    expect(profile.samples.values).toEqual(BigInt64Array.of(lowest, 2n ** 63n - 1n, -1n));
    expect(profile.lines.line).toEqual(BigInt64Array.of(lowest));
    expect(profile.functions.startLine).toEqual(BigInt64Array.of(-2n));
  });

  it("reads labels, also with text and number both, empty and reserved keys, and the same key twice", () => {
    const strings = [...RAW_STRINGS, textField(6, "__proto__"), textField(6, "route")];
    const sample = rawSample(
      [1],
      [1],
      label(varintField(1, 6), varintField(2, 3)),
      label(varintField(1, 6), varintField(3, -7), varintField(4, 2), varintField(2, 4)),
      label(varintField(1, 5), varintField(2, 3)),
      label(),
    );

    const { labels, samples } = decodePprof(rawPprof({ samples: [sample], strings }));

    expect(samples.labelStart).toEqual(Uint32Array.of(0, 4));
    expect(labels).toEqual({
      length: 4,
      key: Uint32Array.of(6, 6, 5, 0),
      text: Uint32Array.of(3, 4, 3, 0),
      number: BigInt64Array.of(0n, -7n, 0n, 0n),
      unit: Uint32Array.of(0, 2, 0, 0),
    });
  });

  it("takes lists packed, unpacked and mixed", () => {
    const sampleTypes = [1, 2, 3].map((index) => messageField(1, varintField(1, index)));
    const sample = messageField(
      2,
      varintField(1, 1),
      messageField(2, varint(10), varint(20)),
      messageField(1, varint(1), varint(1)),
      varintField(2, 30),
      messageField(1),
    );

    const { samples } = decodePprof(rawPprof({ sampleTypes, samples: [sample] }));

    expect(samples.location).toEqual(Uint32Array.of(0, 0, 0));
    expect(samples.values).toEqual(BigInt64Array.of(10n, 20n, 30n));
  });

  it("takes fields in any order", () => {
    const forwards = rawPprof();
    const whole = [
      rawSample([1], [5]),
      ...RAW_STRINGS,
      messageField(4, varintField(1, 1), messageField(4, varintField(1, 1), varintField(2, 7))),
      messageField(5, varintField(1, 1), varintField(2, 3), varintField(4, 4)),
      messageField(1, varintField(1, 1), varintField(2, 2)),
    ];

    expect(decodePprof(Uint8Array.from(whole.flat()))).toEqual(decodePprof(forwards));
  });

  it("takes messages of one kind that stand apart", () => {
    const apart = [RAW_STRINGS.slice(0, 2), [rawSample([1], [6])], RAW_STRINGS.slice(2)].flat();

    const profile = decodePprof(rawPprof({ strings: apart }));

    expect(profile.strings).toEqual(["", "cpu", "nanoseconds", "main", "main.js"]);
    expect(totalValues(profile)).toEqual([11n]);
  });

  it("skips fields it does not know", () => {
    const unknown = [
      varintField(99, 1),
      textField(100, "new"),
      [...varint(101 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8],
      [...varint(102 * 8 + 5), 1, 2, 3, 4],
    ];
    const sample = messageField(2, ...unknown, messageField(1, varint(1)), messageField(2, varint(5)));

    expect(decodePprof(rawPprof({ samples: [sample], rest: unknown }))).toEqual(decodePprof(rawPprof()));
  });

  it("counts a field that comes twice once, as the last says", () => {
    const functions = [
      messageField(5, varintField(1, 1), varintField(2, 1), varintField(2, 3), varintField(4, 4)),
    ];

    expect(decodePprof(rawPprof({ functions }))).toEqual(decodePprof(rawPprof()));
  });

  it("keeps one row for a string that comes twice", () => {
    const strings = [...RAW_STRINGS, textField(6, "cpu"), textField(6, "last"), textField(6, "last")];
    const functions = [5, 6, 7].map((name) => messageField(5, varintField(1, name), varintField(2, name)));

    const profile = decodePprof(rawPprof({ strings, functions }));

    checkProfile(profile);
    expect(profile.strings).toEqual(["", "cpu", "nanoseconds", "main", "main.js", "last"]);
    expect(profile.functions.name).toEqual(Uint32Array.of(1, 5, 5));
  });

  it.for([
    ["sparse", 1_000_000n],
    ["beyond 2^53", 2n ** 53n + 1n],
    ["with bit 63", 2n ** 64n - 1n],
  ] as const)("resolves ids that are %s", ([, id]) => {
    const parts = {
      samples: [rawSample([id], [5])],
      locations: [
        messageField(4, varintField(1, id), messageField(4, varintField(1, id), varintField(2, 7))),
      ],
      functions: [messageField(5, varintField(1, id), varintField(2, 3), varintField(4, 4))],
    };

    expect(formatTree(decodePprof(rawPprof(parts)))).toEqual(["main total 5 self 5"]);
  });

  it("resolves ids that differ only beyond 2^53", () => {
    const ids = [2n ** 53n, 2n ** 53n + 1n];
    const functions = ids.map((id, i) => messageField(5, varintField(1, id), varintField(2, 3 + i)));
    const locations = ids.map((id) =>
      messageField(4, varintField(1, id), messageField(4, varintField(1, id))),
    );
    const samples = ids.map((id, i) => rawSample([id], [i + 1]));

    const profile = decodePprof(rawPprof({ functions, locations, samples }));

    expect(formatTree(profile)).toEqual(["main total 1 self 1", "main.js total 2 self 2"]);
  });

  it("takes the last of two entries with one id", () => {
    const functions = [3, 4].map((name) => messageField(5, varintField(1, 1), varintField(2, name)));

    expect(formatTree(decodePprof(rawPprof({ functions })))).toEqual(["main.js total 5 self 5"]);
  });

  it("leaves a location that does not exist out of its stack and keeps the value", () => {
    const samples = [rawSample([8, 1, 0], [5]), rawSample([8], [2]), rawSample([], [1])];

    const profile = decodePprof(rawPprof({ samples }));

    expect(profile.samples.locationStart).toEqual(Uint32Array.of(0, 1, 1, 1));
    expect(totalValues(profile)).toEqual([8n]);
  });

  it("takes mappings and functions that do not exist for none", () => {
    const location = messageField(
      4,
      varintField(1, 1),
      varintField(2, 5),
      messageField(4, varintField(1, 5)),
      messageField(4),
    );

    const { locations, lines } = decodePprof(rawPprof({ locations: [location] }));

    expect(locations.mapping).toEqual(Int32Array.of(NO_MAPPING));
    expect(lines.function).toEqual(Int32Array.of(NO_FUNCTION, NO_FUNCTION));
  });

  it.for([
    ["NUL", "a\0b"],
    ["right-to-left override", "a\u202eb"],
    ["zero width", "a\u200bb"],
    ["terminal escape", "\u001b[31mred"],
    ["byte order mark", "\ufeffmain"],
    ["beyond the BMP", "𝒻unction"],
    ["more than 127 bytes", "x".repeat(300)],
  ] as const)("keeps a name with %s as it is", ([, name]) => {
    const strings = [...RAW_STRINGS.slice(0, 3), textField(6, name), textField(6, "main.js")];

    expect(decodePprof(rawPprof({ strings })).strings[3]).toBe(name);
  });

  it.for([
    [
      "a type with -, : and spaces",
      { strings: [textField(6, ""), textField(6, "a-b:c d"), ...RAW_STRINGS.slice(2)] },
    ],
    [
      "two equal sample types",
      {
        sampleTypes: [1, 1].map((i) => messageField(1, varintField(1, i))),
        samples: [rawSample([1], [2, 3])],
      },
    ],
    ["no samples", { samples: [] }],
    ["a period of -1 and a duration of 0", { rest: [varintField(12, -1), varintField(10, 0)] }],
    ["a negative time", { rest: [varintField(9, -5)] }],
    ["a time in the year 2286", { rest: [varintField(9, 10n ** 19n)] }],
    ["one location 10,000 times", { samples: [rawSample(new Array(10_000).fill(1), [5])] }],
  ] as const)("accepts %s", ([, parts]) => {
    checkProfile(decodePprof(rawPprof(parts)));
  });

  it("keeps nothing of the input", () => {
    const bytes = rawPprof();
    const profile = decodePprof(bytes);
    const before = formatTree(profile);

    bytes.fill(0);

    expect(formatTree(profile)).toEqual(before);
  });

  it("reads a part of a larger buffer", () => {
    const bytes = rawPprof();
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 10);

    expect(decodePprof(larger.subarray(10, 10 + bytes.length))).toEqual(decodePprof(bytes));
  });

  it("answers any bytes with a profile or a coded error", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(outcomeOf(bytes)).toMatch(/^(profile|WIRE_MALFORMED|PPROF_MALFORMED|PPROF_LIMIT)$/);
      }),
      { numRuns: 2_000 },
    ));

  it("answers a profile with changed bytes with a profile or a coded error", () => {
    const original = rawPprof({
      samples: [rawSample([1], [5], label(varintField(1, 3), varintField(2, 4)))],
    });
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });

    return fc.assert(
      fc.property(edits, (changes) => {
        const bytes = original.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        expect(outcomeOf(bytes)).toMatch(/^(profile|WIRE_MALFORMED|PPROF_MALFORMED|PPROF_LIMIT)$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it("answers a profile that ends at any byte with a shorter profile or a coded error", () => {
    const bytes = rawPprof();

    for (let length = 0; length < bytes.length; length++) {
      expect(outcomeOf(bytes.subarray(0, length))).toMatch(/^(profile|WIRE_MALFORMED|PPROF_MALFORMED)$/);
    }
  });
});

/** The code of the error, or "profile" when decoding gives a valid one. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    checkProfile(decodePprof(bytes));
    return "profile";
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}
