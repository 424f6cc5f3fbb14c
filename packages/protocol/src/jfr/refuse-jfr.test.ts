import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { type DecodeJfrOptions, decodeJfr } from "./decode-jfr.ts";
import type { JfrLimits } from "./jfr-limits.ts";
import {
  allocation,
  event,
  executionSample,
  integer,
  metadata,
  monitorEnter,
  RAW_POOLS,
  RAW_TYPES,
  type RawChunk,
  type RawType,
  RUNNABLE,
  rawChunk,
  setting,
  TYPE,
  utf8,
  wallSample,
} from "./raw-jfr.fixture.ts";

const OPTIONS: DecodeJfrOptions = { sampleRateHz: 100, startUnixNanos: 0n, endUnixNanos: 0n };

const WHOLE = rawChunk({ events: [setting("event", "wall"), executionSample(1), monitorEnter(1, 7)] });

const malformed = (message: string) =>
  expect.objectContaining({
    name: "ProtocolError",
    code: "JFR_MALFORMED",
    message: expect.stringContaining(message),
  });

const patched = (write: (view: DataView) => void): Uint8Array => {
  const bytes = WHOLE.slice();
  write(new DataView(bytes.buffer));
  return bytes;
};

/** Whether bytes decode, or are refused by an error of this package. */
const isOurs = (bytes: Uint8Array): boolean => {
  try {
    decodeJfr(bytes, OPTIONS);
  } catch (error) {
    return error instanceof ProtocolError;
  }
  return true;
};

/** A chunk whose events have a field of a type that goes on as `types` say. */
const withTypes = (...types: RawType[]): RawChunk => ({
  types: [
    ...RAW_TYPES.filter(({ id }) => id !== TYPE.execution),
    { id: TYPE.execution, name: "jdk.ExecutionSample", fields: [{ name: "x", type: 100 }] },
    ...types,
  ],
});

describe("decodeJfr refuses", () => {
  it("a recording that is cut off at any byte", () => {
    for (let length = 0; length < WHOLE.length; length++) {
      expect(() => decodeJfr(WHOLE.subarray(0, length), OPTIONS)).toThrow(
        malformed("decoding a JFR recording: "),
      );
    }
  });

  it.for([1, 67, 68, WHOLE.length - 1])(
    "a chunk that is cut off after %i bytes, behind a whole one",
    (length) => {
      const twice = Uint8Array.from([...WHOLE, ...WHOLE.subarray(0, length)]);

      expect(() => decodeJfr(twice, OPTIONS)).toThrow(malformed("decoding a JFR recording: chunk at byte"));
    },
  );

  it.for<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "chunk at byte 0: 0 bytes, a header has 68"],
    ["something else", new Uint8Array(100), 'chunk at byte 0 does not begin with "FLR"'],
    ["a version of JDK 8", patched((view) => view.setUint16(4, 0)), "version 0.0, expected 2"],
    [
      "integers that are not compressed",
      patched((view) => view.setUint16(66, 0)),
      "integers are not compressed",
    ],
    ["a size of 0", patched((view) => view.setBigInt64(8, 0n)), "size 0, expected 68 to"],
    ["a negative size", patched((view) => view.setBigInt64(8, -1n)), "size -1, expected 68 to"],
    ["a size beyond its end", patched((view) => view.setBigInt64(8, 2n ** 62n)), "size 4611686018427387904"],
    ["metadata in the header", patched((view) => view.setBigInt64(24, 0n)), "metadata at 0, chunk size"],
    [
      "metadata beyond its end",
      patched((view) => view.setBigInt64(24, 9_999n)),
      "metadata at 9999, chunk size",
    ],
    [
      "metadata that is another event",
      patched((view) => view.setBigInt64(24, 68n)),
      "where the chunk's metadata should be",
    ],
    ["no ticks in a second", patched((view) => view.setBigInt64(56, 0n)), "0 ticks per second"],
  ])("%s", ([, bytes, message]) => {
    expect(() => decodeJfr(bytes, OPTIONS)).toThrow(malformed(message));
  });

  const deep: RawType[] = Array.from({ length: 20 }, (_, i) => ({
    id: 100 + i,
    name: `t${i}`,
    fields: [{ name: "x", type: 101 + i }],
  }));
  it.for<[string, RawChunk, string]>([
    ["an event of size 0", { events: [[0, 0, 0]] }, "event at byte 68: size 0"],
    ["an event beyond the chunk", { events: [[0xff, 0xff, 0x7f, 31]] }, "size 2097151"],
    ["an event that ends before its fields", { events: [event(TYPE.execution, [5])] }, "cut off at byte"],
    [
      "an array longer than its event",
      { pools: [{ type: TYPE.stackTrace, constants: [[1, [0, ...integer(2n ** 40n)]]] }] },
      "array at byte",
    ],
    [
      "an array longer than 2^53",
      { pools: [{ type: TYPE.stackTrace, constants: [[1, [0, ...integer(-1)]]] }] },
      "expected 0 to 2^53 - 1",
    ],
    [
      "a pool of a type that is not described",
      { pools: [{ type: 99, constants: [] }] },
      "type 99 is not in the metadata",
    ],
    [
      "a string of another encoding",
      { pools: [{ type: TYPE.symbol, constants: [[1, [6]]] }] },
      "encoding 6, expected 0 to 5",
    ],
    ["a field of a type that is not described", withTypes(), "type 100 is not in the metadata"],
    [
      "a type with itself inside",
      withTypes({ id: 100, name: "a", fields: [{ name: "x", type: 100 }] }),
      "type a: more than 16 types inside each other",
    ],
    ["types too deep inside each other", withTypes(...deep), "more than 16 types inside each other"],
    [
      "a type without fields in a field",
      withTypes({ id: 100, name: "a", fields: [] }),
      "field x: type a has no fields",
    ],
    [
      "a stack that is a text array",
      {
        types: RAW_TYPES.map((type) =>
          type.id === TYPE.execution
            ? { ...type, fields: [{ name: "stackTrace", type: TYPE.int, array: true as const }] }
            : type,
        ),
      },
      "field stackTrace of jdk.ExecutionSample is not a value",
    ],
    [
      "a type id that is no number",
      { metadata: metadata([{ id: Number.NaN, name: "a", fields: [] }]) },
      'type id "NaN"',
    ],
    [
      "a string number outside the table",
      { metadata: event(0, [0, 0, 1], [1], utf8("root"), [0, 1, 0, 9, 0]) },
      "metadata names string 9 of 1",
    ],
    [
      "elements too deep",
      {
        metadata: event(
          0,
          [0, 0, 1],
          [1],
          utf8("root"),
          Array.from({ length: 50 }, () => [0, 0, 1]).flat(),
          [0, 0, 0],
        ),
      },
      "metadata has elements more than 16 deep",
    ],
    [
      "a wall-clock sample of too many",
      { events: [wallSample(1, RUNNABLE, 2 ** 50)] },
      "event of wall has value",
    ],
    [
      "ticks of too many nanoseconds",
      { events: [monitorEnter(1, 2n ** 62n)], ticksPerSecond: 1n },
      "event of mutex has value",
    ],
    [
      "a negative size",
      { events: [allocation(1, -5)] },
      "event of memory has value -5: expected 0 to 2^63 - 1",
    ],
    [
      "a sum beyond int64",
      { events: [allocation(1, 2n ** 62n), allocation(1, 2n ** 62n)] },
      "values of memory add up to more than int64 holds",
    ],
  ])("%s", ([, chunk, message]) => {
    expect(() => decodeJfr(rawChunk(chunk), OPTIONS)).toThrow(malformed(message));
  });

  it("a sum over chunks beyond int64", () => {
    const chunk = rawChunk({ events: [allocation(1, 2n ** 62n)] });

    expect(() => decodeJfr(Uint8Array.from([...chunk, ...chunk]), OPTIONS)).toThrow(
      expect.objectContaining({ code: "PROFILE_OVERFLOW" }),
    );
  });

  it("a malformed snapshot of labels", () => {
    expect(() => decodeJfr(WHOLE, { ...OPTIONS, labelsSnapshot: Uint8Array.of(0x0a) })).toThrow(
      expect.objectContaining({ code: "WIRE_MALFORMED" }),
    );
  });

  it("only with its own errors, whatever bytes are changed", () => {
    const change = fc.tuple(fc.nat(WHOLE.length - 1), fc.nat(255));
    return fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = WHOLE.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        expect(isOurs(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("decodeJfr within limits", () => {
  it.for<[keyof JfrLimits, number, readonly number[][]]>([
    ["maxSamples", 2, [executionSample(1), executionSample(2), executionSample(1)]],
    ["maxFrames", 3, [executionSample(1), executionSample(2), executionSample(1)]],
    ["maxFrames", 4, [1, 2].map((context) => executionSample(1, RUNNABLE, [context, 0, 0, 0, 0]))],
  ])("takes %s=%i and refuses one less", ([name, limit, events]) => {
    const bytes = rawChunk({ events, pools: RAW_POOLS });

    expect(decodeJfr(bytes, { ...OPTIONS, limits: { [name]: limit } }).profiles).toHaveLength(1);
    expect(() => decodeJfr(bytes, { ...OPTIONS, limits: { [name]: limit - 1 } })).toThrow(
      expect.objectContaining({ code: "JFR_LIMIT", limit: { name, actual: limit, limit: limit - 1 } }),
    );
  });

  it.for([
    ["strings", event(0, [0, 0, 1], integer(3), [1, 1, 1], [0, 0, 0])],
    ["elements", event(0, [0, 0, 1], [1, 1], [0, 0, 2], [0, 0, 0], [0, 0, 0])],
  ] as const)("takes maxMetadataElements=3 %s and refuses one less", ([, bytes]) => {
    const recording = rawChunk({ metadata: [...bytes], events: [], pools: [] });

    expect(decodeJfr(recording, { ...OPTIONS, limits: { maxMetadataElements: 3 } }).profiles).toEqual([]);
    expect(() => decodeJfr(recording, { ...OPTIONS, limits: { maxMetadataElements: 2 } })).toThrow(
      expect.objectContaining({
        code: "JFR_LIMIT",
        limit: { name: "maxMetadataElements", actual: 3, limit: 2 },
      }),
    );
  });
});
