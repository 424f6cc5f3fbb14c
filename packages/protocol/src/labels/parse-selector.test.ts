import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMatcher, matchLabels } from "./label-matcher.ts";
import { formatSelector, type MatchOperator } from "./match-condition.ts";
import { parseConditions } from "./parse-conditions.ts";
import { parseSelector } from "./parse-selector.ts";

function conditions(text: string): readonly string[] {
  return parseSelector(text).map(({ name, op, value }) => `${name} ${op} ${value}`);
}

describe("parseSelector", () => {
  it.for([
    ["{}", []],
    [" { } ", []],
    ['{a="b"}', ["a = b"]],
    ['{a="b",c!="d",e=~"f.*",g!~"h"}', ["a = b", "c != d", "e =~ f.*", "g !~ h"]],
    ['{a="b",}', ["a = b"]],
    ["{ a = 'b' ,\n\tc\n!=\r\n`d` }", ["a = b", "c != d"]],
    ['{a="b" # the zone\n, # and more\n c="d"}', ["a = b", "c = d"]],
    ['{a="b",a!="c"}', ["a = b", "a != c"]],
    ['{"otel.scope.name"="x"}', ["otel.scope.name = x"]],
    ['{\'a b\'="x",`ñ`!~"y"}', ["a b = x", "ñ !~ y"]],
    ['{a=""}', ["a = "]],
    [
      "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
      ["__name__ = process_cpu:cpu:nanoseconds:cpu:nanoseconds"],
    ],
    ['wall:wall:nanoseconds:: {a="b"}', ["__name__ = wall:wall:nanoseconds::", "a = b"]],
    ['{"wall",a="b"}', ["__name__ = wall", "a = b"]],
    ['{a="b",__name__="wall"}', ["a = b", "__name__ = wall"]],
    ['{__name__=~"wall|cpu"}', ["__name__ =~ wall|cpu"]],
  ] as const)("reads %j", ([text, expected]) => {
    expect(conditions(text)).toEqual(expected);
  });

  it.for([
    [String.raw`{a="\"\\\n\t"}`, '"\\\n\t'],
    [String.raw`{a='\''}`, "'"],
    [`{a='say "hi"'}`, 'say "hi"'],
    [String.raw`{a="\a\b\f\r\v"}`, "\x07\b\f\r\v"],
    [String.raw`{a="\x41\101\u00e9\U0001F600"}`, "AAé😀"],
    [String.raw`{a="\xc3\xa9\303\251"}`, "éé"],
    ["{a=`\\d+\n\"'`}", "\\d+\n\"'"],
    ["{a=``}", ""],
    [String.raw`{a="\ue000\U0010FFFF"}`, "\ue000\u{10ffff}"],
    ['{a="😀 {},="}', "😀 {},="],
  ] as const)("unescapes %s", ([text, value]) => {
    expect(parseSelector(text)[0]?.value).toBe(value);
  });

  it.for([
    ["", 'position 1: expected "{", got the end'],
    ["  ", 'position 3: expected "{", got the end'],
    ["{", "position 2: expected a label name, got the end"],
    ["{}}", 'position 3: expected the end, got "}"'],
    ["{} x", 'position 4: expected the end, got "x"'],
    ["}", 'position 1: expected "{", got "}"'],
    ['"a"', 'position 1: expected "{", got "a"'],
    ["{,}", 'position 2: expected a label name, got ","'],
    ['{a="b",,}', 'position 8: expected a label name, got ","'],
    ['{a="b" c="d"}', 'position 8: expected ",", got "c"'],
    ["{a}", 'position 3: expected "=", "!=", "=~" or "!~", got "}"'],
    ["{a=}", 'position 4: expected a quoted value, got "}"'],
    ["{a=b}", 'position 4: expected a quoted value, got "b"'],
    ['{="b"}', 'position 2: expected a label name, got "="'],
    ['{a=="b"}', 'position 4: expected a quoted value, got "="'],
    ['{a>"b"}', 'position 3: unexpected ">"'],
    ["{a=1}", 'position 4: unexpected "1"'],
    ["{😀}", 'position 2: unexpected "😀"'],
    ['{a:b="c"}', 'position 2: label name "a:b" must stand in quotes'],
    ['{otel.name="c"}', 'position 6: unexpected "."'],
    ['{""="c"}', "position 2: empty label name"],
    ['{a="b}', "position 4: quoted text without a closing quote"],
    ["{a=`b}", "position 4: quoted text without a closing quote"],
    ['{a="b\nc"}', "position 6: line break in a quoted text"],
    [String.raw`{a="x\q"}`, "position 6: unknown escape in a quoted text"],
    [String.raw`{a="\'"}`, "position 5: unknown escape in a quoted text"],
    [String.raw`{a="\ud800"}`, "position 5: unknown escape in a quoted text"],
    [String.raw`{a="\U00110000"}`, "position 5: unknown escape in a quoted text"],
    [String.raw`{a="\400"}`, "position 5: unknown escape in a quoted text"],
    [String.raw`{a="\x4"}`, "position 5: unknown escape in a quoted text"],
    [String.raw`{a="\xff"}`, "position 5: escapes that are not UTF-8 in a quoted text"],
    ['wall{__name__="cpu"}', "position 6: __name__ is given twice"],
    ['{"wall","cpu"}', "position 9: __name__ is given twice"],
    ['{a=~"("}', 'label "a": regular expression "(": missing closing ): `(`'],
  ] as const)("refuses %j", ([text, problem]) => {
    expect(() => parseSelector(text)).toThrow(
      expect.objectContaining({
        name: "ProtocolError",
        code: "SELECTOR_INVALID",
        message: `parsing label selector ${JSON.stringify(text)}: ${problem}`,
      }),
    );
  });

  it("takes 100 matchers and 64 KiB, and no more", () => {
    const selector = (count: number) => `{${'a="b",'.repeat(count)}}`;
    const sized = (length: number) => `{a="${"x".repeat(length - 6)}"}`;

    expect(parseSelector(selector(100))).toHaveLength(100);
    expect(() => parseSelector(selector(101))).toThrow(/position 602: more than 100 matchers$/);
    expect(parseSelector(sized(65_536))).toHaveLength(1);
    expect(() => parseSelector(sized(65_537))).toThrow(/x": 65537 characters, limit 65536$/);
  });

  it("gives matchers or a coded error for any text", () => {
    const wild = fc.string({ unit: fc.constantFrom(..."ab_:{}=!~\"'`\\,# \nxuU017é😀.(") });

    fc.assert(
      fc.property(wild, (text) => {
        try {
          expect(Array.isArray(parseSelector(`{${text}}`))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: "ProtocolError", code: "SELECTOR_INVALID" });
        }
      }),
    );
  });
});

describe("parseConditions", () => {
  it("reads what parseSelector reads, and leaves regular expressions alone", () => {
    expect(parseConditions('wall{a=~"(",b!="c"}')).toEqual([
      { name: "__name__", op: "=", value: "wall" },
      { name: "a", op: "=~", value: "(" },
      { name: "b", op: "!=", value: "c" },
    ]);
  });

  it("refuses what is no selector", () => {
    expect(() => parseConditions("{a}")).toThrow(
      expect.objectContaining({ code: "SELECTOR_INVALID", message: expect.stringContaining("position 3") }),
    );
  });
});

describe("formatSelector", () => {
  const character = fc.oneof(
    fc.constantFrom(..."ab\"'`\\\n{},=~!#\x00\x7f"),
    fc.integer({ min: 0, max: 0xd7ff }).map((codePoint) => String.fromCodePoint(codePoint)),
    fc.integer({ min: 0xe000, max: 0x10ffff }).map((codePoint) => String.fromCodePoint(codePoint)),
  );

  it("prints names in quotes where they need it", () => {
    expect(formatSelector([createMatcher("a", "=", "b"), createMatcher("c.d", "!~", 'e"')])).toBe(
      '{a="b","c.d"!~"e\\""}',
    );
    expect(formatSelector([])).toBe("{}");
  });

  it("is read back by parseSelector", () => {
    const condition = fc.record({
      name: fc.string({ unit: character, minLength: 1 }).filter((name) => name !== "__name__"),
      op: fc.constantFrom<MatchOperator>("=", "!="),
      value: fc.string({ unit: character }),
    });

    fc.assert(
      fc.property(fc.array(condition, { maxLength: 4 }), (expected) => {
        const parsed = parseSelector(formatSelector(expected));
        expect(parsed.map(({ name, op, value }) => ({ name, op, value }))).toEqual(expected);
      }),
    );
  });
});

describe("matchLabels", () => {
  const labels = new Map([
    ["env", "prod"],
    ["empty", ""],
  ]);
  const get = (name: string) => labels.get(name);

  it.for([
    ["{}", true],
    ['{env="prod"}', true],
    ['{env="prod",zone="b"}', false],
    ['{env="pro"}', false],
    ['{env=~"pro"}', false],
    ['{env=~"p.*"}', true],
    ['{env!~"p.*"}', false],
    ['{env!="prod"}', false],
    ['{env!="dev"}', true],
  ] as const)("%s", ([selector, expected]) => {
    expect(matchLabels(parseSelector(selector), get)).toBe(expected);
  });

  it.for([
    ['{missing=""}', true],
    ['{missing!=""}', false],
    ['{missing!="x"}', true],
    ['{missing=~".*"}', true],
    ['{missing=~".+"}', false],
    ['{missing=~"x|"}', true],
    ['{missing!~".+"}', true],
    ['{empty=""}', true],
    ['{empty!~".*"}', false],
  ] as const)("takes a missing label for an empty one: %s", ([selector, expected]) => {
    expect(matchLabels(parseSelector(selector), get)).toBe(expected);
  });

  it("equals a naive evaluator", () => {
    const names = fc.constantFrom("a", "b", "c");
    const values = fc.constantFrom("", "x", "y", "xy");
    const condition = fc.tuple(
      names,
      fc.constantFrom<MatchOperator>("=", "!=", "=~", "!~"),
      fc.oneof(values, fc.constantFrom("x.*", ".+", "x|y", "[xy]*", "x?")),
    );
    const naive: Record<MatchOperator, (text: string, value: string) => boolean> = {
      "=": (text, value) => text === value,
      "!=": (text, value) => text !== value,
      "=~": (text, value) => new RegExp(`^(?:${value})$`).test(text),
      "!~": (text, value) => !new RegExp(`^(?:${value})$`).test(text),
    };

    fc.assert(
      fc.property(fc.array(condition), fc.dictionary(names, values), (conditions, record) => {
        const matchers = conditions.map(([name, op, value]) => createMatcher(name, op, value));
        const expected = conditions.every(([name, op, value]) => naive[op](record[name] ?? "", value));
        expect(matchLabels(matchers, (name) => record[name])).toBe(expected);
      }),
    );
  });
});
