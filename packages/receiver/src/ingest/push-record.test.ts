import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePushRecord, encodePushRecord, type PushRecord } from "./push-record.ts";

const label = fc.record({ name: fc.string({ unit: "grapheme" }), value: fc.string({ unit: "grapheme" }) });
const item = fc.record(
  {
    labels: fc.array(label, { maxLength: 4 }),
    timeUnixNanos: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    payloadHash: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    maxDepth: fc.nat(),
    maxSymbolBytes: fc.nat(),
    isSanitized: fc.boolean(),
    payload: fc.uint8Array(),
    isGoFixed: fc.constant(true as const),
    relabelRules: fc.string(),
    foldedSeries: fc.bigUint64Array({ maxLength: 3 }),
  },
  {
    requiredKeys: [
      "labels",
      "timeUnixNanos",
      "payloadHash",
      "maxDepth",
      "maxSymbolBytes",
      "isSanitized",
      "payload",
    ],
  },
);
const record: fc.Arbitrary<PushRecord> = fc.record({
  tenant: fc.string({ unit: "grapheme" }),
  receivedUnixMillis: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  items: fc.array(item, { maxLength: 4 }),
});

const sample: PushRecord = {
  tenant: "anonymous",
  receivedUnixMillis: 1_772_366_400_000,
  items: [
    {
      labels: [
        { name: "__name__", value: "cpu" },
        { name: "__proto__", value: "ü" },
      ],
      timeUnixNanos: 1_772_366_400_123_456_789n,
      payloadHash: new Uint8Array(16).fill(7),
      maxDepth: 1000,
      maxSymbolBytes: 65_535,
      isSanitized: true,
      payload: Uint8Array.of(1, 2, 3),
    },
  ],
};

describe("push record", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(record, (drawn) => {
        expect(decodePushRecord(encodePushRecord(drawn))).toEqual(drawn);
      }),
    );
  });

  it("writes version 1 as docs/storage-format.md has it: logs on disk are read by later versions", () => {
    const fields = [
      "01", // version
      "09000000616e6f6e796d6f7573", // tenant
      "0000a05094ca7942", // received
      "01000000", // items
      "02000000", // labels
      "080000005f5f6e616d655f5f", // name
      "03000000637075", // value
      "090000005f5f70726f746f5f5f", // name
      "02000000c3bc", // value
      "154d32bbd9b59818", // time
      "07070707070707070707070707070707", // hash
      "e8030000", // depth
      "ffff0000", // symbols
      "01", // flags
      "03000000", // length
      "010203", // payload
    ];

    expect(Buffer.from(encodePushRecord(sample)).toString("hex")).toBe(fields.join(""));
  });

  it("refuses a record that was cut anywhere, and one with bytes after its end", () => {
    const bytes = encodePushRecord(sample);

    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodePushRecord(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ name: "ReceiverError", code: "STORAGE_FORMAT" }),
      );
    }
    expect(() => decodePushRecord(Uint8Array.of(...bytes, 0))).toThrow(/1 bytes after its end/);
  });

  it("refuses another version", () => {
    const bytes = encodePushRecord(sample);
    bytes[0] = 2;

    expect(() => decodePushRecord(bytes)).toThrow("log record has version 2: this program reads version 1");
  });

  it("takes no memory for a count or a length that the bytes do not hold", () => {
    const empty = encodePushRecord({ ...sample, items: [] });
    new DataView(empty.buffer).setUint32(empty.length - 4, 0xffff_ffff, true);

    expect(() => decodePushRecord(empty)).toThrow(/4 bytes at offset/);
  });
});
