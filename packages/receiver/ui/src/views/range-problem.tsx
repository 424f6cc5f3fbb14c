import type { VNode } from "preact";
import { OPEN_SIDES } from "../state/diff-sides.ts";
import { isBackwards } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";

/** Stands in for a page whose link holds no range that can be shown: says why, and offers one. */
export function RangeProblem(): VNode {
  const { clock } = useApp();
  const [view, go] = useView();
  const nowMs = clock.nowMs.value;
  const ranges = [
    view,
    { from: view.leftFrom, until: view.leftUntil },
    { from: view.rightFrom, until: view.rightUntil },
  ];
  const isReversed = ranges.some((range) => isBackwards(range, nowMs));
  return (
    <div class="notice notice-error" role="alert">
      <span>
        {isReversed
          ? "This link's range of time ends before it begins."
          : "This link holds no range of time that can be read."}
      </span>
      <button
        type="button"
        class="button"
        onClick={() => go({ from: "now-1h", until: "now", ...OPEN_SIDES })}
      >
        Last hour
      </button>
    </div>
  );
}
