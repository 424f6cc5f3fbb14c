import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { isRelative } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";

const PERIODS: readonly { readonly seconds: number; readonly label: string }[] = [
  { seconds: 0, label: "off" },
  { seconds: 10, label: "10 s" },
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 min" },
  { seconds: 300, label: "5 min" },
];

/** Refreshes now, or by itself while the range follows the clock. */
export function RefreshPicker(): VNode {
  const { clock } = useApp();
  const [view, go] = useView();
  const follows = isRelative(view.until);
  const seconds = follows ? view.refreshSeconds : 0;
  useEffect(() => {
    clock.refreshEvery(seconds);
    return () => clock.refreshEvery(0);
  }, [clock, seconds]);
  return (
    <div class="button-group">
      <button
        type="button"
        class="button button-icon"
        title="Refresh"
        aria-label="Refresh"
        onClick={() => clock.refresh()}
      >
        ⟳
      </button>
      <select
        aria-label="Refresh by itself"
        title={follows ? "Refresh by itself" : "A range that is pinned does not change"}
        disabled={!follows}
        value={String(view.refreshSeconds)}
        onChange={(event) => go({ refreshSeconds: Number(event.currentTarget.value) })}
      >
        {PERIODS.map((period) => (
          <option key={period.seconds} value={String(period.seconds)}>
            {period.label}
          </option>
        ))}
      </select>
    </div>
  );
}
