import type { Norm } from "../state/url-state.ts";
import { formatPoints, formatShare, formatSigned, formatValue } from "./format-value.ts";
import { chooseRateUnit, parseProfileType } from "./profile-type.ts";

/** How values of a diff are written under one norm. */
export interface ChangeFormat {
  readonly value: (scaled: number) => string;
  /** With its sign. */
  readonly delta: (scaled: number) => string;
}

/** Shares in percent and their differences in points, rates in the timeline's unit, absolutes in the sample unit. */
export function chooseChangeFormat(norm: Norm, type: string): ChangeFormat {
  const value = chooseValueFormat(norm, type);
  return { value, delta: norm === "share" ? formatPoints : (scaled) => formatSigned(scaled, value) };
}

function chooseValueFormat(norm: Norm, type: string): (scaled: number) => string {
  switch (norm) {
    case "share":
      return formatShare;
    case "rate": {
      const unit = chooseRateUnit(type);
      return (perSecond) => unit.format(unit.toPoint(perSecond, 1));
    }
    case "absolute": {
      const { sampleUnit } = parseProfileType(type);
      return (value) => formatValue(value, sampleUnit);
    }
  }
}

/** The direction of a change as a sign that needs no colour. */
export function chooseArrow(delta: number): string {
  if (delta === 0) return "";
  return delta > 0 ? "▲" : "▼";
}

/** A change as a factor: `+40 %`, `×3.2` from the double on, `new` from nothing. */
export function formatFactor(before: number, after: number): string {
  if (before <= 0) return after > 0 ? "new" : "";
  const factor = after / before;
  if (factor >= 2) return `×${factor.toFixed(1)}`;
  const percent = Math.round((factor - 1) * 100);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${Math.abs(percent)} %`;
}
