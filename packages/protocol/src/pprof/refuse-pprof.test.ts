import { describe, expect, it } from "vitest";
import { decodePprof } from "./decode-pprof.ts";
import type { PprofLimits } from "./pprof-limits.ts";
import {
  messageField,
  RAW_STRINGS,
  type RawPprof,
  rawPprof,
  rawSample,
  textField,
  varint,
  varintField,
} from "./raw-pprof.fixture.ts";

const label = (...fields: readonly number[][]) => messageField(3, ...fields);
const functionWith = (...fields: readonly number[][]) => [messageField(5, varintField(1, 1), ...fields)];
const mappingWith = (...fields: readonly number[][]) => [messageField(3, varintField(1, 1), ...fields)];
const STRING_COUNT = RAW_STRINGS.length;

describe("decodePprof refuses", () => {
  it.for<[string, Partial<RawPprof>, string]>([
    ["no sample types", { sampleTypes: [] }, "empty profile"],
    ["a location without id", { locations: [messageField(4, varintField(3, 5))] }, "location id is 0"],
    ["an empty location", { locations: [messageField(4)] }, "location id is 0"],
    ["a function without id", { functions: [messageField(5, varintField(2, 3))] }, "function id is 0"],
    [
      "too few values",
      { samples: [messageField(2, messageField(1, varint(1)))] },
      "sample value length mismatch",
    ],
    ["too many values", { samples: [rawSample([1], [1, 2])] }, "sample value length mismatch"],
    ["an empty sample", { samples: [messageField(2)] }, "sample value length mismatch"],
    ["no strings", { strings: [] }, "string 0 should be empty string"],
    [
      "a first string that is not empty",
      { strings: RAW_STRINGS.slice(1) },
      "string 0 should be empty string",
    ],
    [
      "a string that is not UTF-8",
      { strings: [...RAW_STRINGS, messageField(6, [0x61, 0xc3, 0x28])] },
      "invalid utf8 string hex: 61c328",
    ],
    [
      "a surrogate in a string",
      { strings: [...RAW_STRINGS, messageField(6, [0xed, 0xa0, 0x80])] },
      "invalid utf8 string hex: eda080",
    ],
  ])("%s", ([, parts, message]) => {
    expect(() => decodePprof(rawPprof(parts))).toThrow(
      expect.objectContaining({ name: "ProtocolError", code: "PPROF_MALFORMED", message }),
    );
  });

  it.for<[string, (index: bigint | number) => Partial<RawPprof>]>([
    ["sample type type string index", (index) => ({ sampleTypes: [messageField(1, varintField(1, index))] })],
    ["sample type unit string index", (index) => ({ sampleTypes: [messageField(1, varintField(2, index))] })],
    [
      "sample label string index",
      (index) => ({ samples: [rawSample([1], [1], label(varintField(1, index)))] }),
    ],
    [
      "sample label string index",
      (index) => ({ samples: [rawSample([1], [1], label(varintField(2, index)))] }),
    ],
    [
      "sample label unit string index",
      (index) => ({ samples: [rawSample([1], [1], label(varintField(4, index)))] }),
    ],
    ["function name string index", (index) => ({ functions: functionWith(varintField(2, index)) })],
    ["function system name index string", (index) => ({ functions: functionWith(varintField(3, index)) })],
    ["function file name string index", (index) => ({ functions: functionWith(varintField(4, index)) })],
    ["mapping file name string index", (index) => ({ mappings: mappingWith(varintField(5, index)) })],
    ["mapping build id string index", (index) => ({ mappings: mappingWith(varintField(6, index)) })],
    ["period type type string index", (index) => ({ rest: [messageField(11, varintField(1, index))] })],
    ["period type unit string index", (index) => ({ rest: [messageField(11, varintField(2, index))] })],
    ["drop frames string index", (index) => ({ rest: [varintField(7, index)] })],
    ["keep frames string index", (index) => ({ rest: [varintField(8, index)] })],
    ["comment string index", (index) => ({ rest: [varintField(13, index)] })],
    ["default sample type string index", (index) => ({ rest: [varintField(14, index)] })],
  ])("a %s outside the table, and takes the last string", ([what, parts]) => {
    expect(() => decodePprof(rawPprof(parts(STRING_COUNT - 1)))).not.toThrow();
    for (const index of [STRING_COUNT, 2n ** 32n, 2n ** 63n, -1]) {
      expect(() => decodePprof(rawPprof(parts(index)))).toThrow(
        expect.objectContaining({ code: "PPROF_MALFORMED", message: `${what} out of range` }),
      );
    }
  });

  it.for<[string, readonly number[][]]>([
    ["a group", [[0x1b]]],
    ["the end of a group", [[0x1c]]],
    ["an unknown group", [varint(99 * 8 + 3)]],
    ["wire type 6", [varint(99 * 8 + 6)]],
    ["wire type 7", [varint(99 * 8 + 7)]],
    ["field number 0", [[0x00, 0x01]]],
    ["a tag beyond 32 bits", [varint(2n ** 35n)]],
    ["a number where a message belongs", [varintField(2, 1)]],
    ["a fixed64 where a number belongs", [[9 * 8 + 1, 0, 0, 0, 0, 0, 0, 0, 0]]],
    ["a text where a number belongs", [textField(9, "now")]],
    ["a varint of 11 bytes", [[9 * 8, ...new Array(10).fill(0x80), 0]]],
    ["a varint of 65 bits", [[9 * 8, ...new Array(9).fill(0xff), 2]]],
    ["a varint that is cut off", [[9 * 8, 0x80]]],
    ["a length past the end", [[50, 1]]],
    ["a length of 2^40", [[50, ...varint(2n ** 40n)]]],
    ["a length of 2^64 - 1", [[50, ...varint(-1)]]],
    ["a length past the end of the message that holds it", [messageField(2, [10, 5, 1])]],
    ["a varint past the end of the message that holds it", [messageField(2, [10, 1, 0x80])]],
    ["a fixed32 that is cut off", [[99 * 8 - 256 * 3 + 5, 1, 2]]],
  ])("%s", ([, rest]) => {
    expect(() => decodePprof(rawPprof({ rest }))).toThrow(
      expect.objectContaining({ name: "ProtocolError", code: "WIRE_MALFORMED" }),
    );
  });

  it.for<[string, Uint8Array]>([
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)],
    ["JSON", new TextEncoder().encode('{"flamebearer": {}}')],
  ])("%s", ([, bytes]) => {
    expect(() => decodePprof(bytes)).toThrow(expect.objectContaining({ code: "WIRE_MALFORMED" }));
  });

  it("no bytes at all", () => {
    expect(() => decodePprof(new Uint8Array())).toThrow(
      expect.objectContaining({ message: "empty profile" }),
    );
  });
});

describe("limits of decodePprof", () => {
  const many = (count: number, field: (index: number) => number[]) =>
    Array.from({ length: count }, (_, i) => field(i));
  const located = (lines: number) => [
    messageField(4, varintField(1, 1), ...many(lines, () => messageField(4))),
  ];

  it.for<[keyof PprofLimits, number, (count: number) => Partial<RawPprof>]>([
    [
      "maxSampleTypes",
      2,
      (n) => ({
        sampleTypes: many(n, () => messageField(1)),
        samples: [rawSample([], new Array(n).fill(1))],
      }),
    ],
    ["maxSamples", 3, (n) => ({ samples: many(n, () => rawSample([1], [1])) })],
    ["maxLocationsPerSample", 4, (n) => ({ samples: [rawSample(new Array(n).fill(1), [1])] })],
    [
      "maxLabelsPerSample",
      2,
      (n) => ({ samples: [rawSample([], [1]), rawSample([], [1], ...many(n, () => label()))] }),
    ],
    [
      "maxStrings",
      7,
      (n) => ({ strings: [...RAW_STRINGS, ...many(n - STRING_COUNT, (i) => textField(6, `s${i}`))] }),
    ],
    ["maxStringBytes", 12, (n) => ({ strings: [...RAW_STRINGS, textField(6, "x".repeat(n))] })],
    ["maxLocations", 3, (n) => ({ locations: many(n, (i) => messageField(4, varintField(1, i + 1))) })],
    ["maxLinesPerLocation", 3, (n) => ({ locations: located(n) })],
    [
      "maxLines",
      3,
      (n) => ({ locations: many(n, (i) => messageField(4, varintField(1, i + 1), messageField(4))) }),
    ],
    ["maxFunctions", 3, (n) => ({ functions: many(n, (i) => messageField(5, varintField(1, i + 1))) })],
    ["maxMappings", 3, (n) => ({ mappings: many(n, (i) => messageField(3, varintField(1, i + 1))) })],
    ["maxComments", 3, (n) => ({ rest: many(n, () => varintField(13, 1)) })],
    [
      "maxFrames",
      5,
      (n) => ({
        locations: located(1),
        samples: [rawSample(new Array(n - 2).fill(1), [1]), rawSample([1, 1], [1])],
      }),
    ],
  ])("accepts %s and refuses one more", ([name, limit, parts]) => {
    expect(() => decodePprof(rawPprof(parts(limit)), { [name]: limit })).not.toThrow();
    expect(() => decodePprof(rawPprof(parts(limit + 1)), { [name]: limit })).toThrow(
      expect.objectContaining({
        code: "PPROF_LIMIT",
        limit: { name, actual: limit + 1, limit },
        message: `decoding a pprof: ${name}: actual ${limit + 1}, limit ${limit}`,
      }),
    );
  });

  it("refuses a profile of more than maxBytes", () => {
    const bytes = rawPprof();

    expect(() => decodePprof(bytes, { maxBytes: bytes.length })).not.toThrow();
    expect(() => decodePprof(bytes, { maxBytes: bytes.length - 1 })).toThrow(
      expect.objectContaining({
        code: "PPROF_LIMIT",
        limit: { name: "maxBytes", actual: bytes.length, limit: bytes.length - 1 },
      }),
    );
  });

  it("says how many samples there really are", () => {
    const bytes = rawPprof({ samples: many(40, () => rawSample([1], [1])) });

    expect(() => decodePprof(bytes, { maxSamples: 10 })).toThrow(
      expect.objectContaining({ limit: { name: "maxSamples", actual: 40, limit: 10 } }),
    );
  });

  it.for([1_000_000, Number.POSITIVE_INFINITY])(
    "takes no memory for two million empty samples when %i are allowed",
    (maxSamples) => {
      const empty = new Uint8Array(4_000_000);
      for (let at = 0; at < empty.length; at += 2) empty[at] = 18;
      const rest = rawPprof({ samples: [] });
      const bytes = new Uint8Array(rest.length + empty.length);
      bytes.set(rest);
      bytes.set(empty, rest.length);
      const before = process.memoryUsage().arrayBuffers;

      expect(() => decodePprof(bytes, { maxSamples })).toThrow(/sample value length mismatch|maxSamples/);

      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
    },
  );

  it("refuses a stack that a few bytes blow up to 10^8 frames", () => {
    const parts = {
      locations: located(1_000),
      samples: many(100, () => rawSample(new Array(1_000).fill(1), [1])),
    };

    expect(() => decodePprof(rawPprof(parts))).toThrow(expect.objectContaining({ code: "PPROF_LIMIT" }));
  });

  it("cuts stacks at the leaf's side", () => {
    const locations = [1, 2, 3].map((id) => messageField(4, varintField(1, id)));
    const samples = [rawSample([1, 2, 3], [1]), rawSample([2, 3], [1]), rawSample([1], [1])];

    const { samples: cut } = decodePprof(rawPprof({ locations, samples }), {
      truncateDepth: 2,
      maxLocationsPerSample: 2,
    });

    expect(cut.location).toEqual(Uint32Array.of(1, 2, 1, 2, 0));
    expect(cut.locationStart).toEqual(Uint32Array.of(0, 2, 4, 5));
  });

  it("cuts strings at their start, between characters", () => {
    const strings = [
      ...RAW_STRINGS,
      textField(6, "0123456789"),
      textField(6, "aé€"),
      textField(6, "main.js"),
    ];

    const cut = decodePprof(rawPprof({ strings }), { truncateStringBytes: 4, maxStringBytes: 4 }).strings;

    // "cpu", "nanoseconds", "main", "main.js" become "cpu", "onds", "main", "n.js"; of é only its second byte would be left.
    expect(cut).toEqual(["", "cpu", "onds", "main", "n.js", "6789", "€"]);
  });

  it("refuses bytes that are not UTF-8 also where it cuts", () => {
    const strings = [...RAW_STRINGS, messageField(6, [0xff, 0x61, 0x62, 0x63])];

    expect(() => decodePprof(rawPprof({ strings }), { truncateStringBytes: 3 })).toThrow(
      expect.objectContaining({ message: "invalid utf8 string hex: ff616263" }),
    );
  });
});
