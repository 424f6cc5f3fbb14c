import type { Scheme } from "./skin.ts";

// Told apart on a white and on a dark page; the first is also the one colour of a timeline that is not split.
const SERIES_COLOURS: Readonly<Record<Scheme, readonly string[]>> = {
  light: ["#d9541e", "#2468c8", "#2a8a57", "#8b4fc4", "#b1880b", "#c23a77", "#0f8a9a", "#6b7280"],
  dark: ["#f5894a", "#6ea8fe", "#5fc08b", "#c08df0", "#e2b93b", "#f07bab", "#4cc4d4", "#9aa4b5"],
};

/** Colour of the `index`th series; they repeat after eight. */
export function chooseSeriesColour(index: number, scheme: Scheme): string {
  const colours = SERIES_COLOURS[scheme];
  return colours[index % colours.length] ?? "#888888";
}

/** The two sides of a comparison: A is blue, B is orange, wherever they appear. */
export const SIDE_COLOURS: Readonly<Record<Scheme, { readonly left: string; readonly right: string }>> = {
  light: { left: "#1f6fd1", right: "#d9641e" },
  dark: { left: "#5ea2f7", right: "#f59a4b" },
};
