import { describe, expect, it } from "vitest";
import { layOutDiff, layOutTree } from "../layout/flame-graph.ts";
import { searchNames } from "../layout/frame-search.ts";
import { diffFromStacks, findStack, treeFromStacks } from "../testing/tree-from-stacks.ts";
import { toPixel } from "./colour.ts";
import { fitName, paintFlameGraph, type Viewport } from "./flame-graph-painter.ts";
import { type Skin, skinByChange, skinByName } from "./skin.ts";

const WIDTH_PX = 100;
const ROW_PX = 4;

interface Painted {
  readonly labels: ReturnType<typeof paintFlameGraph>;
  readonly colourAt: (x: number, row: number) => number;
  readonly colourOf: (stack: string) => number;
  readonly skin: Skin;
}

function paint(
  stacks: Readonly<Record<string, number>>,
  options: { readonly search?: string; readonly view?: Partial<Viewport>; readonly labelPx?: number } = {},
): Painted {
  const graph = layOutTree(treeFromStacks(stacks));
  const skin = skinByName(graph, "light");
  const heightPx = 5 * ROW_PX;
  const viewport = {
    from: 0,
    until: graph.width[0]!,
    widthPx: WIDTH_PX,
    heightPx,
    rowPx: ROW_PX,
    scrollPx: 0,
  };
  const pixels = new Uint32Array(WIDTH_PX * heightPx);
  const match = searchNames(graph.names, options.search ?? "");
  const labels = paintFlameGraph(pixels, graph, { ...viewport, ...options.view }, skin, {
    match,
    labelPx: options.labelPx ?? 30,
  });
  return {
    labels,
    skin,
    colourAt: (x, row) => pixels[(row * ROW_PX + 1) * WIDTH_PX + x]!,
    colourOf: (stack) => toPixel(skin.colours[skin.fill[findStack(graph, stack)]!]!),
  };
}

describe("paintFlameGraph", () => {
  it("paints each frame in its colour, at its place, with a gap behind it", () => {
    const { colourAt, colourOf, skin } = paint({ "a;x": 50, b: 50 });

    expect([colourAt(0, 1), colourAt(48, 1)]).toEqual([colourOf("a"), colourOf("a")]);
    expect(colourAt(49, 1)).toBe(toPixel(skin.background));
    expect(colourAt(50, 1)).toBe(colourOf("b"));
    expect(colourAt(10, 2)).toBe(colourOf("a;x"));
    expect(colourAt(60, 2)).toBe(toPixel(skin.background));
  });

  it("keeps frames narrower than a pixel coloured", () => {
    const narrow = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`root;f${index}`, 1]));
    const { colourAt, skin } = paint(narrow);
    const known = new Set(skin.colours.map(toPixel));

    const painted = Array.from({ length: WIDTH_PX }, (_, x) => colourAt(x, 2));

    expect(painted.every((colour) => known.has(colour))).toBe(true);
    expect(new Set(painted).size).toBeGreaterThan(3);
  });

  it("shows a match that is one of many frames in a pixel", () => {
    const narrow = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`root;f${index}`, 1]));
    const { colourAt, skin } = paint(narrow, { search: "f555" });

    const hits = Array.from({ length: WIDTH_PX }, (_, x) => colourAt(x, 2)).filter(
      (colour) => colour === toPixel(skin.hit),
    );

    expect(hits).toHaveLength(1);
  });

  // `a` is under half a pixel wide, and `z` begins in the same pixel.
  const NARROW_THEN_WIDE = { a: 0.4, z: 99.6 };

  it("paints a wide frame that begins in the pixel of a narrow one", () => {
    const { colourAt, colourOf } = paint(NARROW_THEN_WIDE);

    expect([colourAt(1, 1), colourAt(50, 1), colourAt(98, 1)]).toEqual(Array(3).fill(colourOf("z")));
  });

  it("paints a wide frame behind many narrow ones of its pixel", () => {
    const narrow = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, 0.001]));
    const { colourAt, colourOf } = paint({ ...narrow, z: 99.5 });

    expect(colourAt(50, 1)).toBe(colourOf("z"));
  });

  it("keeps a narrow match in sight beside the wide frame in its pixel, and finds the wide one", () => {
    const narrowFound = paint(NARROW_THEN_WIDE, { search: "a" });
    const wideFound = paint(NARROW_THEN_WIDE, { search: "z" });

    expect(narrowFound.colourAt(0, 1)).toBe(toPixel(narrowFound.skin.hit));
    expect(narrowFound.colourAt(50, 1)).toBe(toPixel(narrowFound.skin.dim));
    expect(wideFound.colourAt(50, 1)).toBe(wideFound.colourOf("z"));
  });

  it("paints a wide frame of a diff that begins in the pixel of a narrow one", () => {
    const diff = diffFromStacks({ a: 0.2, z: 30 }, { a: 0.2, z: 69.6 });
    const graph = layOutDiff(diff, { left: 1, right: 1 });
    const skin = skinByChange(diff, { left: 1, right: 1 }, { palette: "blue-orange", scheme: "light" });
    const viewport = { from: 0, until: 100, widthPx: WIDTH_PX, heightPx: 2 * ROW_PX, rowPx: ROW_PX };
    const pixels = new Uint32Array(WIDTH_PX * viewport.heightPx);

    paintFlameGraph(pixels, graph, { ...viewport, scrollPx: 0 }, skin, { match: undefined, labelPx: 30 });

    const colour = toPixel(skin.colours[skin.fill[findStack(graph, "z")]!]!);
    expect(pixels[(ROW_PX + 1) * WIDTH_PX + 50]).toBe(colour);
  });

  it("dims what a search did not find", () => {
    const { colourAt, colourOf, skin } = paint({ a: 50, b: 50 }, { search: "b" });

    expect(colourAt(10, 1)).toBe(toPixel(skin.dim));
    expect(colourAt(60, 1)).toBe(colourOf("b"));
  });

  it("fills the width with the focused part and its callers", () => {
    const { colourAt, colourOf } = paint({ "a;x": 50, b: 50 }, { view: { from: 0, until: 50 } });

    expect(colourAt(90, 1)).toBe(colourOf("a"));
    expect(colourAt(90, 2)).toBe(colourOf("a;x"));
  });

  it("paints the rows in sight of a stack of 4,000 levels", () => {
    const stack = Array.from({ length: 4000 }, (_, level) => `f${level}`);
    const { colourAt, colourOf, labels } = paint(
      { [stack.join(";")]: 1 },
      { view: { scrollPx: 3990 * ROW_PX } },
    );

    expect(labels).toHaveLength(5);
    expect(colourAt(50, 0)).toBe(colourOf(stack.slice(0, 3990).join(";")));
  });

  it("names frames that have room for it", () => {
    expect(paint({ a: 70, b: 30 }, { labelPx: 31 }).labels).toHaveLength(2);
    expect(paint({ a: 70, b: 30 }, { labelPx: 30 }).labels).toHaveLength(3);
  });

  it("paints nothing of a tree without samples", () => {
    expect(paint({}).labels).toEqual([]);
  });
});

describe("fitName", () => {
  it("cuts a name to the room it has", () => {
    expect(fitName("handleRequest", 130, 10)).toBe("handleRequest");
    expect(fitName("handleRequest", 120, 10)).toBe("handleReque…");
    expect(fitName("handleRequest", 29, 10)).toBe("");
  });
});
