import { describe, expect, it } from "vitest";
import { quoteCharacter, quoteText } from "./quote.ts";

describe("quoteText", () => {
  // Right-hand sides are what Go's fmt.Printf("%q") prints.
  it.for([
    ["plain text", '"plain text"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\x00\x1f\x7f", '"\\x00\\x1f\\x7f"'],
    ["é 日本 😀", '"é 日本 😀"'],
    ["a\u00a0b\u200b", '"a\\u00a0b\\u200b"'],
    ["\ue000", '"\\ue000"'],
    ["\u{e0001}", '"\\U000e0001"'],
    ["\ud800", '"\ufffd"'],
  ] as const)("%j", ([text, quoted]) => {
    expect(quoteText(text)).toBe(quoted);
  });
});

describe("quoteCharacter", () => {
  it.for([
    ["x", "'x'"],
    ["'", "'\\''"],
    ['"', "'\"'"],
    ["\n", "'\\n'"],
    ["😀", "'😀'"],
  ] as const)("%j", ([character, quoted]) => {
    expect(quoteCharacter(character)).toBe(quoted);
  });
});
