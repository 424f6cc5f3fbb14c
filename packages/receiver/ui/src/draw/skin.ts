import { type DiffTree, OTHER_NAME, ROOT_NAME } from "@pyroscope-ts/protocol";
import type { FlameGraph, SideScale } from "../layout/flame-graph.ts";
import type { Palette } from "../state/url-state.ts";

/** Light or dark page. */
export type Scheme = "light" | "dark";

/** What colour each frame has: `fill[node]` is a row of `colours`. */
export interface Skin {
  readonly fill: Uint8Array;
  readonly colours: readonly string[];
  readonly background: string;
  /** Frames that a search did not find. */
  readonly dim: string;
  readonly dimText: string;
  /** A match in a frame too narrow to show its own colour. */
  readonly hit: string;
}

// Even steps of hue at one lightness, computed in OKLCH; dark text has a contrast of 8 or more on every one.
const NAME_COLOURS: readonly string[] = [
  "#f5ab77",
  "#f5c076",
  "#eed27d",
  "#ed997b",
  "#c7ca85",
  "#9cc992",
  "#85ccb3",
  "#7ccdd6",
  "#84c0e4",
  "#95b0eb",
  "#b8a9e8",
  "#d8a7db",
  "#e89dc0",
  "#f29797",
  "#f2c8a1",
  "#9dd8d3",
];

const NEUTRAL: Readonly<Record<Scheme, string>> = { light: "#c3c9d2", dark: "#8d96a5" };

// From much faster to much slower over "unchanged". Blue and orange stay apart for every kind of colour blindness
// (ΔE 86 and more); red and green do not, which is why the sign is also told by ▲ and ▼.
const DIFF_COLOURS: Readonly<Record<Palette, Readonly<Record<Scheme, readonly string[]>>>> = {
  "red-green": {
    light: [
      "#03a14a",
      "#48ad64",
      "#6dba7f",
      "#8fc69a",
      "#b2d3b7",
      "#dbdee3",
      "#efbab3",
      "#f29c92",
      "#f18074",
      "#ee6157",
      "#ea3d38",
    ],
    dark: [
      "#47c86e",
      "#4cb168",
      "#4e9a61",
      "#4b7f57",
      "#4d6a52",
      "#4a4d52",
      "#7c524e",
      "#9e5752",
      "#b85550",
      "#dd5e59",
      "#fb605c",
    ],
  },
  "blue-orange": {
    light: [
      "#2784d5",
      "#4e95da",
      "#6fa6df",
      "#8fb8e2",
      "#b1cae4",
      "#dbdee3",
      "#eac7af",
      "#edb48d",
      "#eea16c",
      "#ee8f48",
      "#ec7c0e",
    ],
    dark: [
      "#54b3fd",
      "#54a0dd",
      "#528dbc",
      "#4d7697",
      "#4d6579",
      "#4a4d52",
      "#785f4a",
      "#966a47",
      "#bc7f4b",
      "#dc8e4a",
      "#fc9e47",
    ],
  },
};

const SURFACE: Readonly<Record<Scheme, Omit<Skin, "fill" | "colours">>> = {
  light: { background: "#ffffff", dim: "#e3e6eb", dimText: "#4f5866", hit: "#c0189a" },
  dark: { background: "#171b22", dim: "#2e343e", dimText: "#a9b2c0", hit: "#ff7ad9" },
};

/** The colours of a diff from the most negative change to the most positive, 11 of them, the middle one neutral. */
export function diffColours(palette: Palette, scheme: Scheme): readonly string[] {
  return DIFF_COLOURS[palette][scheme];
}

function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Colours by name: one function has one colour in every graph. */
export function skinByName(graph: FlameGraph, scheme: Scheme): Skin {
  const neutral = NAME_COLOURS.length;
  const colourOfName = Uint8Array.from(graph.names, (name) => {
    if (name === ROOT_NAME || name === OTHER_NAME) return neutral;
    // The line of `function file:line` must not change the colour of the function.
    return hashName(name.replace(/:\d+$/, "")) % NAME_COLOURS.length;
  });
  const fill = new Uint8Array(graph.length);
  for (let node = 0; node < graph.length; node++) fill[node] = colourOfName[graph.name[node]!]!;
  return { fill, colours: [...NAME_COLOURS, NEUTRAL[scheme]], ...SURFACE[scheme] };
}

// A change of a quarter of the whole is as red as it gets; the logarithm keeps a change of a percent visible.
const FULL_CHANGE_RATIO = 0.25;
const LOG_SLOPE = 400;
const STEP_COUNT = 5;

/** The row of {@link diffColours} for a change by `ratio` of the whole, -1 to 1. */
export function chooseDiffStep(ratio: number): number {
  if (!Number.isFinite(ratio) || ratio === 0) return STEP_COUNT;
  const strength = Math.log1p(Math.abs(ratio) * LOG_SLOPE) / Math.log1p(FULL_CHANGE_RATIO * LOG_SLOPE);
  return STEP_COUNT + Math.sign(ratio) * Math.round(Math.min(1, strength) * STEP_COUNT);
}

/** Colours by change, weighted: how much of the whole changed, not by which factor. */
export function skinByChange(
  diff: DiffTree,
  scale: SideScale,
  options: { readonly palette: Palette; readonly scheme: Scheme },
): Skin {
  const whole = Math.max((diff.leftTotal[0] ?? 0) * scale.left, (diff.rightTotal[0] ?? 0) * scale.right);
  const fill = new Uint8Array(diff.length);
  for (let node = 0; node < diff.length; node++) {
    const delta = diff.rightTotal[node]! * scale.right - diff.leftTotal[node]! * scale.left;
    fill[node] = chooseDiffStep(whole > 0 ? delta / whole : 0);
  }
  return { fill, colours: diffColours(options.palette, options.scheme), ...SURFACE[options.scheme] };
}
