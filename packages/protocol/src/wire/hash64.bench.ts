import { expect, test } from "vitest";
import { Hasher64 } from "./hash64.ts";

// Ten million stacks, the size of a large store: 2.7 in a million such runs would show a collision by chance alone.
const STACK_COUNT = 10_000_000;

test("Hasher64 gives ten million generated stacks different hashes", { timeout: 300_000 }, () => {
  const hashes = new BigInt64Array(STACK_COUNT);
  const lanes = new Int32Array(hashes.buffer);
  const hasher = new Hasher64();
  const start = performance.now();
  let words = 0;
  for (let i = 0; i < STACK_COUNT; i++) {
    hasher.reset();
    const depth = 10 + (i % 23);
    // Frames that are common to many stacks, then the digits of i, which make each stack different.
    for (let frame = 0; frame < depth; frame++) hasher.u64(frame * 7, 0);
    for (let rest = i; rest > 0; rest = Math.floor(rest / 100)) hasher.u64(rest % 100, 1);
    hasher.u32(depth).finish();
    lanes[2 * i] = hasher.lo;
    lanes[2 * i + 1] = hasher.hi;
    words += 2 * depth;
  }
  const nanosPerWord = ((performance.now() - start) * 1e6) / words;
  hashes.sort();
  let collisions = 0;
  for (let i = 1; i < STACK_COUNT; i++) if (hashes[i] === hashes[i - 1]) collisions++;
  process.stdout.write(
    `Hasher64: ${collisions} collisions among ${STACK_COUNT} stacks, ${nanosPerWord.toFixed(1)} ns a word\n`,
  );

  expect(collisions).toBe(0);
});
