import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareUtf8, isWellFormed, utf8Length } from "./utf8.ts";

const text = fc.string({ unit: "grapheme" });
const anyUnits = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });

describe("compareUtf8", () => {
  it("orders texts as their bytes are ordered", () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareUtf8(left, right))).toBe(bytes);
      }),
    );
  });

  it("keeps the order of code points where UTF-16 changes its meaning", () => {
    const ordered = ["\x7f", "\x80", "\ucfff", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];

    expect([...ordered].reverse().sort(compareUtf8)).toEqual(ordered);
  });

  it("puts U+FFFD before an emoji, which UTF-16 order does not", () => {
    expect("\ufffd" < "😀").toBe(false);
    expect(compareUtf8("\ufffd", "😀")).toBeLessThan(0);
  });
});

describe("utf8Length", () => {
  it.for([
    ["", 0],
    ["\x7f", 1],
    ["\x80", 2],
    ["\u07ff", 2],
    ["\u0800", 3],
    ["\uffff", 3],
    ["\u{10000}", 4],
  ] as const)("of %j is %i", ([value, bytes]) => {
    expect(utf8Length(value)).toBe(bytes);
  });

  it("agrees with an encoder, on lone surrogates too", () => {
    fc.assert(
      fc.property(fc.oneof(text, anyUnits), (value) => {
        expect(utf8Length(value)).toBe(Buffer.byteLength(value));
      }),
    );
  });
});

describe("isWellFormed", () => {
  it("tells a pair from a lone surrogate", () => {
    expect(isWellFormed("a😀")).toBe(true);
    expect(isWellFormed("a\ud83d")).toBe(false);
    expect(isWellFormed("\ude00\ud83d")).toBe(false);
  });
});
