import { describe, expect, it } from "vitest";
import {
  booleanKind,
  choicesKind,
  durationKind,
  integerKind,
  pairsKind,
  parseDuration,
  parseSize,
  sizeKind,
  textKind,
} from "./setting.ts";

describe("parseDuration", () => {
  it.for([
    ["250ms", 250],
    ["15s", 15_000],
    ["1m30s", 90_000],
    ["1.5s", 1500],
    [" 2h ", 7_200_000],
    ["60000", 60_000],
  ] as const)("reads %s as %d ms", ([text, ms]) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.for(["", "10 parsecs", "15 s", "-5s", "s", "1s2", "NaN", "1e3", "0x10"])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("parseSize", () => {
  it.for([
    ["512k", 524_288],
    ["512KiB", 524_288],
    ["8M", 8_388_608],
    ["4096", 4096],
    ["10b", 10],
  ] as const)("reads %s as %d bytes", ([text, bytes]) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.for(["", "k", "-1", "1 q", "1g"])("refuses %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe("durationKind", () => {
  const kind = durationKind("100ms", "1h");

  it.for([
    [100, 100],
    [99, undefined],
    [3_600_000, 3_600_000],
    [3_600_001, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ["15s", 15_000],
    [true, undefined],
    [{}, undefined],
  ] as const)("takes the option %j as %j", ([option, ms]) => {
    expect(kind.fromOption(option)).toBe(ms);
  });
});

describe("integerKind", () => {
  const kind = integerKind(1, 1000);

  it("takes whole numbers within its bounds", () => {
    expect([0, 1, 1000, 1001, 1.5].map(kind.fromOption)).toEqual([undefined, 1, 1000, undefined, undefined]);
  });

  it("takes digits as text but no text as option", () => {
    expect([kind.fromText("100"), kind.fromText("1e2"), kind.fromText(""), kind.fromOption("100")]).toEqual([
      100,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("sizeKind", () => {
  it("takes numbers and sizes within its bounds", () => {
    const kind = sizeKind("4k", "64M");

    expect([4095, 4096, "64M", "65M"].map(kind.fromOption)).toEqual([undefined, 4096, 67_108_864, undefined]);
  });
});

describe("booleanKind", () => {
  it("reads the usual words and nothing else", () => {
    expect(["TRUE", "1", "on", "false", "0", "no", "maybe"].map(booleanKind.fromText)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      undefined,
    ]);
    expect(booleanKind.fromOption("true")).toBeUndefined();
  });
});

describe("textKind", () => {
  it("trims, and refuses what is empty or no text", () => {
    const kind = textKind("text");

    expect([kind.fromText(" a "), kind.fromText("  "), kind.fromOption(5)]).toEqual([
      "a",
      undefined,
      undefined,
    ]);
  });
});

describe("choicesKind", () => {
  const kind = choicesKind(["cpu", "wall", "heap"]);

  it("gives the words in the order of the list, each once", () => {
    expect(kind.fromText("wall, CPU,wall")).toEqual(["cpu", "wall"]);
  });

  it("refuses an empty list and an unknown word", () => {
    expect([kind.fromOption([]), kind.fromOption(["cpu", "gpu"]), kind.fromText("")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("pairsKind", () => {
  const kind = pairsKind("pairs", (pairs) => pairs);

  it("reads pairs from text; a value may contain an equals sign", () => {
    expect(kind.fromText("a=b, c = d=e ,")).toEqual([
      ["a", "b"],
      ["c", "d=e"],
    ]);
  });

  it("refuses text without a name or without an equals sign", () => {
    expect([kind.fromText("=b"), kind.fromText("a"), kind.fromOption(["a"]), kind.fromOption("a=b")]).toEqual(
      [undefined, undefined, undefined, undefined],
    );
  });
});
