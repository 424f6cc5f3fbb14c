import { describe, expect, it } from "vitest";
import { createTurns } from "./turns.ts";

/** What was done by the end of each turn of the event loop. */
async function watchTurns(count: number, done: readonly string[]): Promise<readonly string[]> {
  const seen: string[] = [done.join("")];
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(done.join(""));
  }
  return seen;
}

describe("createTurns", () => {
  it("does so much in each turn of the event loop, in order", async () => {
    const inTurn = createTurns(2);
    const done: string[] = [];

    for (const name of "abcde") inTurn(() => done.push(name));

    expect(await watchTurns(3, done)).toEqual(["ab", "abcd", "abcde", "abcde"]);
  });

  it("counts what is heavy for more, and begins one that is heavier than a turn", async () => {
    const inTurn = createTurns(10);
    const done: string[] = [];

    for (const [name, weight] of [
      ["a", 40],
      ["b", 40],
      ["c", 9],
      ["d", 1],
      ["e", 1],
    ] as const) {
      inTurn(() => done.push(name), weight);
    }

    expect(await watchTurns(4, done)).toEqual(["a", "ab", "abcd", "abcde", "abcde"]);
  });

  it("takes what comes while a turn is taken behind what waits", async () => {
    const inTurn = createTurns(1);
    const done: string[] = [];

    inTurn(() => done.push("a"));
    inTurn(() => {
      done.push("b");
      inTurn(() => done.push("d"));
    });
    inTurn(() => done.push("c"));

    expect(await watchTurns(4, done)).toEqual(["a", "ab", "abc", "abcd", "abcd"]);
  });
});
