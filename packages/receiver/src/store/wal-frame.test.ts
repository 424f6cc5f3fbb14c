import { describe, expect, it } from "vitest";
import { encodeFrame, readFrames, SEGMENT_HEADER, seedOfSegment, type WalPiece } from "./wal-frame.ts";

const SEED = seedOfSegment("01J00000000000000000000000.wal");
const RECORDS = ["first", "second, somewhat longer", "", "fourth"].map((text, i) => ({
  tenant: ["a", "ten ant/ä", "", "a"][i]!,
  record: Buffer.from(text),
}));
const FRAMES = RECORDS.map((record) => Buffer.concat(encodeFrame(record, SEED)));
const SEGMENT = Buffer.concat([SEGMENT_HEADER, ...FRAMES]);

function recordsOf(segment: Buffer, seed = SEED): readonly string[] {
  return [...readFrames(segment, seed)].flatMap((piece) =>
    piece.kind === "record" ? [`${piece.record.tenant}=${Buffer.from(piece.record.record).toString()}`] : [],
  );
}

function damageOf(segment: Buffer): readonly Extract<WalPiece, { kind: "damage" }>[] {
  return [...readFrames(segment, SEED)].filter((piece) => piece.kind === "damage");
}

const ALL = ["a=first", "ten ant/ä=second, somewhat longer", "=", "a=fourth"];

describe("readFrames", () => {
  it("gives back what encodeFrame wrote", () => {
    expect(recordsOf(SEGMENT)).toEqual(ALL);
    expect(damageOf(SEGMENT)).toEqual([]);
  });

  it("gives every whole record of a segment cut anywhere in its last two, and the rest as damage", () => {
    const lastTwo = FRAMES[2]!.length + FRAMES[3]!.length;
    for (let length = SEGMENT.length - lastTwo; length < SEGMENT.length; length++) {
      const cut = SEGMENT.subarray(0, length);
      const whole = length < SEGMENT.length - FRAMES[3]!.length ? 2 : 3;
      expect(recordsOf(cut)).toEqual(ALL.slice(0, whole));
      const damaged = damageOf(cut).reduce((sum, { bytes }) => sum + bytes.length, 0);
      const end =
        SEGMENT_HEADER.length + FRAMES.slice(0, whole).reduce((sum, frame) => sum + frame.length, 0);
      expect(damaged).toBe(length - end);
    }
  });

  it("loses exactly the record in which a bit is flipped, whichever bit", () => {
    const start = SEGMENT_HEADER.length + FRAMES[0]!.length;
    for (let bit = 8 * start; bit < 8 * (start + FRAMES[1]!.length); bit++) {
      const flipped = Buffer.from(SEGMENT);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(recordsOf(flipped)).toEqual(ALL.filter((_, i) => i !== 1));
      expect(damageOf(flipped).map(({ bytes }) => bytes.length)).toEqual([FRAMES[1]!.length]);
    }
  });

  it("reads all records behind a damaged header", () => {
    const damaged = Buffer.from(SEGMENT);
    damaged[0]! ^= 1;

    expect(recordsOf(damaged)).toEqual(ALL);
    expect(damageOf(damaged)).toHaveLength(1);
  });

  it("takes no frame of another segment, as one in a client's payload would be", () => {
    const forged = Buffer.concat(
      encodeFrame({ tenant: "victim", record: Buffer.from("x") }, seedOfSegment("")),
    );
    const outer = Buffer.concat(encodeFrame({ tenant: "a", record: forged }, SEED));
    outer[9]! ^= 1;

    expect(recordsOf(Buffer.concat([SEGMENT_HEADER, outer]))).toEqual([]);
  });

  it("reads a segment without records", () => {
    expect([...readFrames(SEGMENT_HEADER, SEED)]).toEqual([]);
    expect([...readFrames(Buffer.alloc(0), SEED)]).toEqual([]);
  });

  it("reads zeros, as a file system leaves them behind a torn write, as damage", () => {
    const torn = Buffer.concat([SEGMENT, Buffer.alloc(4096)]);

    expect(recordsOf(torn)).toEqual(ALL);
    expect(damageOf(torn).map(({ bytes }) => bytes.length)).toEqual([4096]);
  });
});
