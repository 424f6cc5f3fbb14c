import { describe, expect, it } from "vitest";
import { parseStack } from "./parse-stack.ts";

describe("parseStack", () => {
  it("reads every form of line that V8 writes", () => {
    const stack = `TypeError: no price (of 3:4)
    at price (/srv/shop.js:3:9)
    at async Shop.pay [as buy] (file:///srv/my shop.js:10:1)
    at new Cart (/srv/cart.js:5:7)
    at Object.<anonymous> (/srv/main.js:1:1)
    at /srv/main.js:2:3
    at async file:///srv/main.js:4:5
    at Array.map (<anonymous>)
    at async Promise.all (index 0)
    at C:\\\\shop\\\\main.js:7:8`;

    expect(
      parseStack(stack).map(({ name, scriptName, line, column }) => [name, scriptName, line, column]),
    ).toEqual([
      ["price", "/srv/shop.js", 3, 9],
      ["pay", "file:///srv/my shop.js", 10, 1],
      ["Cart", "/srv/cart.js", 5, 7],
      ["", "/srv/main.js", 1, 1],
      ["", "/srv/main.js", 2, 3],
      ["", "file:///srv/main.js", 4, 5],
      ["", "C:\\\\shop\\\\main.js", 7, 8],
    ]);
  });

  it("reads nothing of another form, and 64 calls of the deepest", () => {
    expect(parseStack("")).toEqual([]);
    expect(parseStack("Error: x\n  somewhere")).toEqual([]);
    expect(parseStack("    at f (/srv/a.js:1:1)\n".repeat(1000))).toHaveLength(64);
  });

  it("passes lines by that are longer than any of V8", () => {
    expect(parseStack(`    at ${"a (".repeat(50_000)}`)).toEqual([]);
  });

  it("is not held up by messages that are made for it", { timeout: 5000 }, () => {
    // Tried in every way to split it, one such stack took 250 ms: all of them far more than this test has.
    const line = `at ${" (".repeat(250)}${":1".repeat(250)}`;
    const stack = `${line}\n`.repeat(64);

    for (let i = 0; i < 60; i++) expect(parseStack(stack)).toHaveLength(64);
  });
});
