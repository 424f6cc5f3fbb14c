import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIdentity, IdentitySet, parseIdentity } from "./identity-set.ts";
import { KeySet } from "./key-set.ts";

// Few different lanes, so that keys meet in one slot, and keys that look like a free one.
const lane = fc.constantFrom(0, 1, -1, 64, 128, 0x7fffffff, -0x80000000);
const half = fc.constantFrom(0n, 1n, 64n, 128n, 2n ** 64n - 1n);

describe("KeySet", () => {
  it("holds what was added and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(lane, lane), { maxLength: 300 }),
        fc.tuple(lane, lane),
        (keys, [lo, hi]) => {
          const set = new KeySet();
          const expected = new Set<string>();
          for (const [keyLo, keyHi] of keys) {
            expect(set.add(keyLo, keyHi)).toBe(!expected.has(`${keyLo} ${keyHi}`));
            expected.add(`${keyLo} ${keyHi}`);
          }
          expect(set.size).toBe(expected.size);
          expect(set.has(lo, hi)).toBe(expected.has(`${lo} ${hi}`));
        },
      ),
    );
  });

  it("grows", () => {
    const set = new KeySet();
    for (let i = 0; i < 10_000; i++) set.add(Math.imul(i, 0x9e3779b1), i);

    expect(set.size).toBe(10_000);
    expect(set.has(Math.imul(9999, 0x9e3779b1), 9999)).toBe(true);
    expect(set.add(0, 0)).toBe(false);
  });
});

describe("IdentitySet", () => {
  it("holds what was added and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(half, half), { maxLength: 300 }),
        fc.tuple(half, half),
        (keys, [hi, lo]) => {
          const set = new IdentitySet();
          const expected = new Set<string>();
          for (const [keyHi, keyLo] of keys) {
            expect(set.add({ hi: keyHi, lo: keyLo })).toBe(!expected.has(`${keyHi} ${keyLo}`));
            expected.add(`${keyHi} ${keyLo}`);
          }
          expect(set.size).toBe(expected.size);
          expect(set.has({ hi, lo })).toBe(expected.has(`${hi} ${lo}`));
        },
      ),
    );
  });

  it("grows", () => {
    const set = new IdentitySet();
    for (let i = 0n; i < 5000n; i++) set.add({ hi: i, lo: i * 7n });

    expect(set.size).toBe(5000);
    expect(set.has({ hi: 4999n, lo: 4999n * 7n })).toBe(true);
  });
});

describe("formatIdentity", () => {
  it("is the text of a UUID, and parseIdentity its reverse", () => {
    const identity = { hi: 0x0011223344556677n, lo: 0x8899aabbccddeeffn };

    expect(formatIdentity(identity)).toBe("00112233-4455-6677-8899-aabbccddeeff");
    expect(parseIdentity(formatIdentity(identity))).toEqual(identity);
    expect(parseIdentity(formatIdentity({ hi: 0n, lo: 0n }))).toEqual({ hi: 0n, lo: 0n });
  });
});
