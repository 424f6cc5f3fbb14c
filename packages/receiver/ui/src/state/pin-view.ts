import { pinRange } from "./time-range.ts";
import type { ViewState } from "./url-state.ts";

/** `view` with every relative time made absolute: what it shows now is what its link shows later. */
export function pinView(view: ViewState, nowMs: number): ViewState {
  const page = pinRange(view, nowMs);
  const left = pinSide(view.leftFrom, view.leftUntil, nowMs);
  const right = pinSide(view.rightFrom, view.rightUntil, nowMs);
  return {
    ...view,
    ...page,
    refreshSeconds: 0,
    leftFrom: left.from,
    leftUntil: left.until,
    rightFrom: right.from,
    rightUntil: right.until,
  };
}

function pinSide(
  from: string,
  until: string,
  nowMs: number,
): { readonly from: string; readonly until: string } {
  // A side that follows the page goes on following it: the page is pinned.
  return from === "" || until === "" ? { from, until } : pinRange({ from, until }, nowMs);
}
