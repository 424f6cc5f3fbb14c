import { PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { describe, expect, it } from "vitest";
import { checkFieldCount } from "./message-fields.ts";

const MAX_FIELDS = 65_536;
const REFUSAL = "the message has more than 65536 fields: send it in several";

const check = (bytes: Uint8Array) => checkFieldCount(bytes, "proto", PushRequestSchema);
const checkJson = (text: string) => checkFieldCount(Buffer.from(text), "json", PushRequestSchema);
const repeat = (count: number, ...bytes: readonly number[]) =>
  Buffer.alloc(count * bytes.length).fill(Buffer.from(bytes));

function inField(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}

describe("checkFieldCount", () => {
  it.for([
    ["empty series", 0, (count: number) => repeat(count, 0x0a, 0)],
    ["empty labels of a series", 1, (count: number) => inField(1, repeat(count, 0x0a, 0))],
    ["samples of a series", 1, (count: number) => inField(1, repeat(count, 0x12, 0))],
    ["ids of a sample", 2, (count: number) => inField(1, inField(2, repeat(count, 0x12, 0)))],
    ["numbers that nobody knows", 0, (count: number) => repeat(count, 0x78, 1)],
    ["fixed numbers that nobody knows", 0, (count: number) => repeat(count, 0x7d, 1, 2, 3, 4)],
  ] as const)("takes as many %s as fields may be, and not one more", ([, outer, write]) => {
    expect(() => check(write(MAX_FIELDS - outer))).not.toThrow();
    expect(() => check(write(MAX_FIELDS - outer + 1))).toThrow(REFUSAL);
  });

  it("does not look for fields in bytes", () => {
    const profile = repeat(2 * MAX_FIELDS, 0x0a, 0);

    expect(() => check(inField(1, inField(2, inField(1, profile))))).not.toThrow();
  });

  it.for([
    ["a group", Buffer.from([0x0b, 0x0a, 0])],
    ["a length beyond the end", Buffer.from([0x0a, 0x7f])],
    ["a length of 2^70", Buffer.from([0x0a, ...Array<number>(9).fill(0xff), 0x7f])],
    ["a tag without an end", Buffer.alloc(100, 0xff)],
  ] as const)("leaves %s to the decoder", ([, bytes]) => {
    expect(() => check(bytes)).not.toThrow();
    expect(() => check(Buffer.concat([bytes, repeat(2 * MAX_FIELDS, 0x0a, 0)]))).not.toThrow();
  });

  it("counts what JSON has of objects, arrays and commas", () => {
    const series = (count: number) => `{"series":[${Array(count).fill("{}").join()}]}`;

    // Two marks of the message, two for each series but the last, which has no comma.
    expect(() => checkJson(series(MAX_FIELDS / 2 - 1))).not.toThrow();
    expect(() => checkJson(series(MAX_FIELDS / 2))).toThrow(REFUSAL);
    expect(() => checkJson("[".repeat(MAX_FIELDS + 1))).toThrow(REFUSAL);
    expect(() => checkJson(JSON.stringify({ series: "A".repeat(2 * MAX_FIELDS) }))).not.toThrow();
  });
});
