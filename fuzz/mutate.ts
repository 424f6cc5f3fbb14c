// Changes of bytes that decoders have had trouble with: lengths, counts, ends, repetitions.

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x7b, 0x3b];
// Varints: 2^31, 2^32, 2^53, 2^63, 2^64 - 1, and one that is too long.
const RUNS = [
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xed, 0xa0, 0x80],
];

/** A whole number from 0 to below its argument. */
type Pick = (below: number) => number;

/**
 * A changed copy of `bytes`.
 *
 * @param other - what pieces are taken from.
 */
export function mutate(bytes: Uint8Array, other: Uint8Array, pick: Pick): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + pick(4); left > 0; left--) result = change(result, other, pick);
  return result;
}

function change(bytes: Buffer, other: Uint8Array, pick: Pick): Buffer {
  const at = pick(bytes.length + 1);
  const end = at + pick(Math.min(bytes.length - at, 64) + 1);
  switch (pick(8)) {
    case 0:
      return replace(bytes, at, at + 1, [(bytes[at] ?? 0) ^ (1 << pick(8))]);
    case 1:
      return replace(bytes, at, at + 1, [NUMBERS[pick(NUMBERS.length)] ?? 0]);
    case 2:
      return replace(bytes, at, at + pick(2), RUNS[pick(RUNS.length)] ?? []);
    case 3:
      return replace(bytes, at, end, []);
    case 4:
      return replace(bytes, at, at, bytes.subarray(at, end));
    case 5:
      return bytes.subarray(0, at);
    case 6: {
      const from = pick(other.length + 1);
      return replace(bytes, at, end, other.subarray(from, from + pick(128)));
    }
    default:
      return replace(bytes, at, at, Buffer.alloc(pick(300), bytes[at] ?? 0));
  }
}

function replace(bytes: Buffer, from: number, to: number, content: ArrayLike<number>): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(content), bytes.subarray(to)]);
}
