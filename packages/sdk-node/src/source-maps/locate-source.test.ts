import { TraceMap } from "@jridgewell/trace-mapping";
import { describe, expect, it } from "vitest";
import { locateSource } from "./locate-source.ts";

const source =
  "// a comment\nexport const computeTax = (percent) => percent;\nexport function priceCart() {}\n";

interface Input {
  readonly code: string;
  /** Pieces of the code with their line and column in the source, 0-based, and their name there. */
  readonly pieces: readonly (readonly [piece: string, line: number, column: number, name?: string])[];
  readonly hasContent?: boolean;
}

function createMap({ code, pieces, hasContent = true }: Input): TraceMap {
  const names = pieces.flatMap(([, , , name]) => (name === undefined ? [] : [name]));
  const mappings = pieces.map(([piece, line, column, name]) => {
    const at = code.indexOf(piece);
    return name === undefined
      ? ([at, 0, line, column] as [number, number, number, number])
      : ([at, 0, line, column, names.indexOf(name)] as [number, number, number, number, number]);
  });
  return new TraceMap(
    {
      version: 3,
      sources: ["src/shop.ts"],
      sourcesContent: [hasContent ? source : null],
      names,
      mappings: [mappings],
    },
    "file:///srv/shop.js",
  );
}

/** Where V8 says that the function `name` is: where its parameters begin. */
function locate(input: Input, name: string, parameters: string) {
  const position = { line: 1, column: input.code.indexOf(parameters) + 1, name };
  return locateSource(createMap(input), [input.code], position);
}

describe("locateSource", () => {
  it("gives file, line and the name before a minifier", () => {
    const input: Input = {
      code: "function a(){return 1}",
      pieces: [
        ["function", 2, 7],
        ["a(", 2, 16, "priceCart"],
        ["{", 2, 28],
      ],
    };

    expect(locate(input, "a", "(")).toEqual({ file: "/srv/src/shop.ts", line: 3, name: "priceCart" });
  });

  it("does not take the name of the first parameter for an arrow function's", () => {
    const input: Input = {
      code: "const c=d=>d;",
      pieces: [
        ["const", 1, 7],
        ["c=", 1, 13, "computeTax"],
        ["d=>", 1, 27, "percent"],
      ],
    };

    expect(locate(input, "c", "d=>")).toEqual({ file: "/srv/src/shop.ts", line: 2, name: "computeTax" });
  });

  it("reads the name in the source where the map has none", () => {
    const input: Input = {
      code: "const c=d=>d;",
      pieces: [
        ["c=", 1, 13],
        ["d=>", 1, 27],
      ],
    };

    expect(locate(input, "c", "d=>")?.name).toBe("computeTax");
    expect(locate({ ...input, hasContent: false }, "c", "d=>")?.name).toBeUndefined();
  });

  it("reads the name that a function had before a bundler took it", () => {
    const input: Input = { code: 'e("priceCart",0,function(){})', pieces: [["function", 2, 7]] };

    expect(locate(input, "", "()")?.name).toBe("priceCart");
    expect(locate({ ...input, hasContent: false }, "", "()")?.name).toBeUndefined();
  });

  it("leaves a name that is a part of another word, or not there", () => {
    const input: Input = { code: "const cc=d=>d;", pieces: [["const", 1, 7, "x"]] };

    expect(locate(input, "c", "d=>")?.name).toBeUndefined();
    expect(locate(input, "get c", "d=>")?.name).toBeUndefined();
    expect(locate(input, "", "d=>")?.name).toBeUndefined();
  });

  it("gives a line without a column its first source", () => {
    const input: Input = { code: "  a(1)", pieces: [["a(", 2, 0]] };

    expect(locateSource(createMap(input), [], { line: 1, column: 0, name: "" })?.line).toBe(3);
  });

  it("knows nothing of what the bundler added itself", () => {
    const input: Input = { code: "var r=(a)=>a;f()", pieces: [["f(", 2, 0]] };

    expect(locate(input, "r", "(a)")).toBeUndefined();
    expect(locateSource(createMap(input), [], { line: 9, column: 1, name: "" })).toBeUndefined();
  });
});
