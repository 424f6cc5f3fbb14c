import { type FlameGraph, findFirstEndingAfter } from "../layout/flame-graph.ts";
import type { NameMatch } from "../layout/frame-search.ts";
import { type PixelColour, toPixel } from "./colour.ts";
import type { Skin } from "./skin.ts";

/** Which part of a graph is painted, in device pixels. */
export interface Viewport {
  /** Values at the left and right edge. */
  readonly from: number;
  readonly until: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly rowPx: number;
  /** How far the rows are scrolled up. */
  readonly scrollPx: number;
}

/** A frame wide enough for its name. */
export interface FrameLabel {
  readonly node: number;
  readonly x: number;
  readonly y: number;
  readonly widthPx: number;
}

/** A search laid over the picture. */
export interface PaintOptions {
  readonly match: NameMatch | undefined;
  /** Frames narrower than this get no name. */
  readonly labelPx: number;
}

// A frame narrower than this keeps its last pixel: a gap would eat its colour.
const GAP_MIN_PX = 3;

interface Pens {
  readonly background: PixelColour;
  readonly dim: PixelColour;
  readonly hit: PixelColour;
  readonly colours: Uint32Array;
}

/**
 * Paints the visible rows of a graph into `pixels` (`widthPx * heightPx`) and returns where names belong.
 *
 * All frames of one level lie between the same two y, so each level is painted as one row of pixels and copied down. Where
 * frames are narrower than a pixel, a binary search goes on to the next pixel: the cost follows the pixels, not the nodes.
 */
export function paintFlameGraph(
  pixels: Uint32Array,
  graph: FlameGraph,
  viewport: Viewport,
  skin: Skin,
  options: PaintOptions,
): readonly FrameLabel[] {
  const { widthPx, heightPx, rowPx, scrollPx } = viewport;
  const pens: Pens = {
    background: toPixel(skin.background),
    dim: toPixel(skin.dim),
    hit: toPixel(skin.hit),
    colours: Uint32Array.from(skin.colours, toPixel),
  };
  pixels.fill(pens.background);
  const labels: FrameLabel[] = [];
  if (!(viewport.until > viewport.from)) return labels;
  const row = new Uint32Array(widthPx);
  const lastLevel = Math.min(graph.depth, Math.ceil((scrollPx + heightPx) / rowPx));
  for (let level = Math.max(0, Math.floor(scrollPx / rowPx)); level < lastLevel; level++) {
    const y = Math.round(level * rowPx - scrollPx);
    row.fill(pens.background);
    const isEmpty = !paintLevel(row, graph, level, viewport, skin, pens, { ...options, labels, y });
    if (isEmpty) continue;
    const bottom = Math.min(heightPx, y + Math.round(rowPx) - 1);
    for (let line = Math.max(0, y); line < bottom; line++) pixels.set(row, line * widthPx);
  }
  return labels;
}

interface LevelOptions extends PaintOptions {
  readonly labels: FrameLabel[];
  readonly y: number;
}

function paintLevel(
  row: Uint32Array,
  graph: FlameGraph,
  level: number,
  viewport: Viewport,
  skin: Skin,
  pens: Pens,
  options: LevelOptions,
): boolean {
  const { from, until, widthPx } = viewport;
  const perValue = widthPx / (until - from);
  const end = graph.levelStart[level + 1]!;
  let position = findFirstEndingAfter(graph, level, from);
  let isPainted = false;
  while (position < end) {
    const node = graph.byLevel[position]!;
    const start = graph.start[node]!;
    if (start >= until) break;
    isPainted = true;
    const x = Math.max(0, (start - from) * perValue);
    const right = Math.min(widthPx, (start + graph.width[node]! - from) * perValue);
    if (right - x < 1) {
      position = paintPixel(row, graph, { level, position, x }, viewport, skin, pens, options.match);
      continue;
    }
    paintFrame(row, graph, node, { x, right }, skin, pens, options);
    position++;
  }
  return isPainted;
}

function paintFrame(
  row: Uint32Array,
  graph: FlameGraph,
  node: number,
  { x, right }: { readonly x: number; readonly right: number },
  skin: Skin,
  pens: Pens,
  { match, labels, labelPx, y }: LevelOptions,
): void {
  const first = Math.floor(x);
  const last = Math.max(first + 1, Math.round(right));
  const isDim = match !== undefined && match.isMatch[graph.name[node]!] === 0;
  // A match too narrow for a pixel of its own may share this frame's first one: it stays in sight.
  const isShared = isDim && row[first] === pens.hit;
  row.fill(isDim ? pens.dim : pens.colours[skin.fill[node]!]!, isShared ? first + 1 : first, last);
  if (last - first > GAP_MIN_PX) row[last - 1] = pens.background;
  if (right - x >= labelPx) labels.push({ node, x, y, widthPx: right - x });
}

interface PixelPlace {
  readonly level: number;
  readonly position: number;
  readonly x: number;
}

/**
 * Paints the one pixel that several narrow frames share, and returns the position of the first frame that reaches beyond
 * it, which may start in it. At most one frame that starts in a pixel does, so no pixel is painted more than twice.
 */
function paintPixel(
  row: Uint32Array,
  graph: FlameGraph,
  { level, position, x }: PixelPlace,
  { from, until, widthPx }: Viewport,
  skin: Skin,
  pens: Pens,
  match: NameMatch | undefined,
): number {
  const pixel = Math.min(widthPx - 1, Math.floor(x));
  const pixelEnd = from + ((pixel + 1) * (until - from)) / widthPx;
  const next = findFirstEndingAfter(graph, level, pixelEnd, position + 1);
  if (match !== undefined) {
    // A match is never lost between its neighbours: every frame of the pixel is looked at.
    let isHit = false;
    for (let at = position; at < next && !isHit; at++) {
      isHit = match.isMatch[graph.name[graph.byLevel[at]!]!] === 1;
    }
    if (isHit) row[pixel] = pens.hit;
    else if (row[pixel] === pens.background) row[pixel] = pens.dim;
  } else if (row[pixel] === pens.background) {
    row[pixel] = pens.colours[skin.fill[graph.byLevel[position]!]!]!;
  }
  return next;
}

/** `name` cut to what fits into `widthPx` of a font whose characters are all `characterPx` wide; "" when nothing does. */
export function fitName(name: string, widthPx: number, characterPx: number): string {
  const room = Math.floor(widthPx / characterPx);
  if (room < 3) return "";
  return name.length <= room ? name : `${name.slice(0, room - 1)}…`;
}
