import fc from "fast-check";
import { RE2JS } from "re2js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { compilePattern, MAX_PATTERN_BYTES } from "./pattern.ts";

function matches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.matches(text);
}

function problem(pattern: string): string {
  const compiled = compilePattern(pattern);
  return compiled.ok ? "ok" : compiled.problem;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("compilePattern", () => {
  it.for([
    ["p.*", "prod", true],
    ["p.*", "a prod", false],
    ["pro", "prod", false],
    ["a|b.", "bx", true],
    ["a|b.", "ax", false],
    ["a.b", "a\nb", true],
    ["", "", true],
    ["", "x", false],
    [".*", "", true],
    ["(?i)PROD", "prod", true],
    ["\\d{3}", "123", true],
    ["[[:alpha:]]+", "abc", true],
    ["\\p{Greek}", "λ", true],
    [".", "😀", true],
    ["^a$", "a", true],
  ] as const)("%j against %j", ([pattern, text, expected]) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.for([
    ["api|web", "web", true],
    ["api|web", "we", false],
    ["api|", "", true],
    ["web\\.1|web\\-2", "web.1", true],
    ["web\\.1|web\\-2", "webx1", false],
    ["web\\.1|web\\-2", "web-2", true],
    ["a\\|b", "a|b", true],
    ["a\\db", "a1b", true],
    ["a\\nb", "a\nb", true],
    ["a\\\\b", "a\\b", true],
  ] as const)("plain alternatives: %j against %j", ([pattern, text, expected]) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it("takes alternatives of plain texts however long, and at most 1,024 bytes of anything else", () => {
    expect(matches("pod-12345|".repeat(1000), "pod-12345")).toBe(true);
    expect(problem(`${"é".repeat(MAX_PATTERN_BYTES / 2 - 1)}.*`)).toBe("ok");
    expect(problem(`${"é".repeat(MAX_PATTERN_BYTES / 2 - 1)}x.*`)).toBe("1025 bytes, limit 1024");
  });

  it.for([
    ["(", "missing closing )"],
    ["*a", "missing argument to repetition operator"],
    ["a**", "invalid nested repetition operator"],
    ["[b-a]", "invalid character class range"],
    ["(?=a)", "invalid or unsupported Perl syntax"],
    ["(?<!a)b", "invalid"],
    ["(a)\\1", "invalid escape sequence"],
    ["a{1001}", "invalid repeat count"],
    ["a\\", "trailing backslash"],
    ["a)", "unexpected )"],
  ] as const)("refuses %j in RE2's words", ([pattern, words]) => {
    expect(problem(pattern)).toContain(words);
  });

  it.for([
    [`(?:${"a?".repeat(300)}){1000}`],
    ["(((a{10}b){10}c){10}d){5}"],
    ["a{0,1000}".repeat(100)],
    ["(?:[a-z\\]]\\p{Greek}x){999,}"],
  ])("refuses repetitions that unfold too far: %s", ([pattern = ""]) => {
    expect(problem(pattern)).toBe("its repetitions unfold to more than 2000 states");
  });

  it("refuses such repetitions without unfolding them", () => {
    const compile = vi.spyOn(RE2JS, "compile");

    expect(problem("(((a{10}b){10}c){10}d){5}")).not.toBe("ok");
    expect(compile).not.toHaveBeenCalled();
  });

  it("accepts as many states as the limit and refuses one more", () => {
    expect(problem("[ab]{1000}[cd]{998}")).toBe("ok");
    expect(problem("[ab]{1000}[cd]{999}")).toBe("its repetitions unfold to more than 2000 states");
  });

  // A backtracking engine takes longer than the universe lasts for each of these; that the test ends is the point.
  it.for([
    ["(a+)+b", "a"],
    ["(a|a)*b", "a"],
    ["(a|aa)+b", "a"],
    ["(.*a){20}", "a!"],
    ["(x+x+)+y", "x"],
    ["(((a?){10})*)*b", "a"],
  ] as const)("answers the evil %s", ([pattern, unit]) => {
    expect(matches(pattern, unit.repeat(1024).concat("!"))).toBe(false);
  });

  it("agrees with JavaScript's engine where the syntaxes agree", () => {
    const item = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "(?:a|b)", "(?:ab)");
    const pattern = fc
      .array(fc.tuple(item, fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}", "|")), { maxLength: 6 })
      .map((parts) => parts.flat().join(""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 6 });

    fc.assert(
      fc.property(pattern, text, (source, value) => {
        expect(matches(source, value)).toBe(new RegExp(`^(?:${source})$`, "s").test(value));
      }),
    );
  });

  it("gives a result or a problem for any text", () => {
    const wild = fc.string({ unit: fc.constantFrom(..."ab()[]{}|*+?\\^$.,:-019pPxQE<=!\n😀") });

    fc.assert(
      fc.property(wild, (pattern) => {
        expect(typeof compilePattern(pattern).ok).toBe("boolean");
      }),
    );
  });
});
