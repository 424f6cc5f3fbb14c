import type { VNode } from "preact";
import { formatRangeLabel } from "../format/format-time.ts";
import type { DiffSide, SideName } from "../state/diff-sides.ts";
import { toSideRange } from "../state/diff-sides.ts";
import { parseSelector } from "../state/label-filter.ts";
import { useApp, useView } from "./app-context.ts";
import { linkTo } from "./link.ts";
import { Popover } from "./popover.tsx";
import { RangeFields } from "./time-range-picker.tsx";

interface DiffSideCardProps {
  readonly side: SideName;
  readonly value: DiffSide;
  readonly total: string;
  readonly isActive: boolean;
  readonly onActivate: () => void;
}

/** One side of a comparison: its range, its selector, what it amounts to, and a way to its own profile. */
export function DiffSideCard({ side, value, total, isActive, onActivate }: DiffSideCardProps): VNode {
  const { clock, navigation } = useApp();
  const [view, go] = useView();
  const letter = side === "left" ? "A" : "B";
  const alone = {
    page: "flame",
    query: value.query,
    from: value.range.from,
    until: value.range.until,
  } as const;
  return (
    <section class="side" data-side={side} data-active={isActive} aria-label={`Side ${letter}`}>
      <button
        type="button"
        class="side-letter"
        aria-pressed={isActive}
        title={`Dragging over the timeline sets ${letter}`}
        onClick={onActivate}
      >
        {letter}
      </button>
      <div class="side-what">
        <span class="side-role">{side === "left" ? "Baseline" : "Comparison"}</span>
        <Popover title={`Range of ${letter}`} label={formatRangeLabel(value.range, value.resolved)}>
          {(close) => (
            <div class="range-panel">
              <RangeFields
                range={value.range}
                nowMs={clock.nowMs.value}
                onApply={(range) => {
                  go(toSideRange(side, range));
                  close();
                }}
              />
            </div>
          )}
        </Popover>
        <SelectorField side={side} query={value.query} />
      </div>
      <div class="side-total">
        <b>{total}</b>
        <a {...linkTo(navigation, { ...alone, path: view.path })}>Open {letter} alone</a>
      </div>
    </section>
  );
}

function SelectorField({ side, query }: { side: SideName; query: string }): VNode {
  const [view, go] = useView();
  const own = side === "left" ? view.leftQuery : view.rightQuery;
  const change = (text: string): void => {
    const selector = text.trim() === view.query ? "" : text.trim();
    go(side === "left" ? { leftQuery: selector } : { rightQuery: selector });
  };
  return (
    <input
      type="text"
      class="side-query"
      spellcheck={false}
      aria-label={`Selector of ${side === "left" ? "A" : "B"}`}
      title="Labels of this side; empty: as the page's filters"
      value={own === "" ? query : own}
      aria-invalid={parseSelector(own) === undefined}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
