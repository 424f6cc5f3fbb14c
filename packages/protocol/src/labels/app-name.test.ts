import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAppName, parseAppName } from "./app-name.ts";
import { formatLabels, labelSetFromRecord } from "./label-set.ts";

function parsed(text: string): string {
  const { serviceName, labels } = parseAppName(text);
  return `${serviceName} ${formatLabels(labels)}`;
}

describe("parseAppName", () => {
  it.for([
    ["shop", "shop {}"],
    ["  shop ", "shop {}"],
    ["shop{}", "shop {}"],
    ["shop{", "shop {}"],
    ["a/b-c.d_E9", "a/b-c.d_E9 {}"],
    ["shop{env=prod}", 'shop {env="prod"}'],
    ["shop{zone=b,env=prod}", 'shop {env="prod", zone="b"}'],
    [" shop { env = prod , zone = b } ", 'shop {env="prod", zone="b"}'],
    [
      "shop{otel.scope.name=com.grafana.pyroscope/nodejs}",
      'shop {otel.scope.name="com.grafana.pyroscope/nodejs"}',
    ],
    ["shop{__session_id__=8d2f}", 'shop {__session_id__="8d2f"}'],
  ] as const)("reads %j", ([text, expected]) => {
    expect(parsed(text)).toBe(expected);
  });

  it.for([
    ["equals signs in a value are kept", "shop{a=b=c=}", 'shop {a="b=c="}'],
    ["quotes are ordinary", `shop{a="b",c='d'}`, `shop {a="\\"b\\"", c="'d'"}`],
    ["an opening brace in a value is ordinary", "shop{a={b}", 'shop {a="{b"}'],
    ["a value may be empty", "shop{a=,b=}", 'shop {a="", b=""}'],
    ["the last of one name stands", "shop{a=1,b=2,a=3}", 'shop {a="3", b="2"}'],
    ["__name__ replaces the service", "shop{__name__=store,a=1}", 'store {a="1"}'],
    ["text behind the brace is ignored", "shop{a=b} and more", 'shop {a="b"}'],
    ["a closed pair behind the brace counts", "shop{a=b}c=d}", 'shop {a="b", c="d"}'],
    ["a pair left open behind the brace does not", "shop{a=b}c=d", 'shop {a="b"}'],
    ["nothing counts after a brace without a pair", "shop{a=b,}c=d}", 'shop {a="b"}'],
    ["nothing counts after empty braces", "shop{}a=b}", "shop {}"],
    ["a name without a value is ignored at the end", "shop{a=b,c", 'shop {a="b"}'],
    ["a name without a value is ignored before the brace", "shop{a}", "shop {}"],
    [
      "members of an object are ordinary names",
      "shop{__proto__=x,constructor=y}",
      'shop {__proto__="x", constructor="y"}',
    ],
  ] as const)("%s", ([, text, expected]) => {
    expect(parsed(text)).toBe(expected);
  });

  it("keeps a pair whose closing brace is missing", () => {
    expect(parsed("shop{a=b")).toBe('shop {a="b"}');
    expect(parsed("shop{a=b,c=d")).toBe('shop {a="b", c="d"}');
    expect(parsed("shop{a=")).toBe('shop {a=""}');
  });

  it.for([
    ["", "service name is required"],
    ["{a=b}", "service name is required"],
    [" {a=b}", "service name is required"],
    ["my shop", "invalid service name: my shop: character is not allowed: ' '"],
    ["über", "invalid service name: über: character is not allowed: 'ü'"],
    ["a😀", "invalid service name: a😀: character is not allowed: '😀'"],
    ["a'b", "invalid service name: a'b: character is not allowed: '\\''"],
    ["shop{=b}", "label name is required"],
    ["shop{a=b, =c}", "label name is required"],
    ["shop{a-b=c}", "invalid label name: a-b: character is not allowed: '-'"],
    ["shop{a=b,,c=d}", "invalid label name: ,c: character is not allowed: ','"],
    ["shop{a=b},c=d}", "invalid label name: ,c: character is not allowed: ','"],
    ["shop{a b=c", "invalid label name: a b: character is not allowed: ' '"],
    ["shop{__name__=a b}", "invalid service name: a b: character is not allowed: ' '"],
    ["shop{__name__=}", "service name is required"],
  ] as const)("refuses %j", ([text, message]) => {
    expect(() => parseAppName(text)).toThrow(
      expect.objectContaining({ name: "ProtocolError", code: "LABELS_INVALID", message }),
    );
  });

  it("gives names or a coded error for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=,{} "_.-é') }), (text) => {
        try {
          expect(parseAppName(text).serviceName).toMatch(/^[\w./-]+$/);
        } catch (error) {
          expect(error).toMatchObject({ name: "ProtocolError", code: "LABELS_INVALID" });
        }
      }),
    );
  });
});

describe("formatAppName", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.]+$/).filter((text) => text !== "__name__");
  const value = fc.string({ unit: "grapheme" }).filter((text) => !/[,}]/.test(text) && text.trim() === text);

  it("is read back by parseAppName", () => {
    const appName = fc.record({
      serviceName: fc.stringMatching(/^[A-Za-z0-9_./-]+$/),
      labels: fc.dictionary(name, value, { maxKeys: 5 }).map(labelSetFromRecord),
    });

    fc.assert(
      fc.property(appName, (app) => {
        expect(parseAppName(formatAppName(app))).toEqual(app);
      }),
    );
  });

  it.for([
    ["my shop", {}],
    ["shop", { "a-b": "x" }],
    ["shop", { a: "x,y" }],
    ["shop", { a: "x}" }],
    ["shop", { a: " x" }],
    ["shop", { __name__: "x" }],
  ] as const)("refuses what the grammar cannot carry: %j", ([serviceName, record]) => {
    expect(() => formatAppName({ serviceName, labels: labelSetFromRecord(record) })).toThrow(
      expect.objectContaining({ code: "LABELS_INVALID" }),
    );
  });
});
