import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { formatMoment, formatRange, formatRangeLabel } from "../format/format-time.ts";
import { isRelative, RANGE_PRESETS, resolveRange, resolveTime, type TimeRange } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";
import { Popover } from "./popover.tsx";

interface RangeFieldsProps {
  readonly range: TimeRange;
  readonly nowMs: number;
  readonly onApply: (range: TimeRange) => void;
}

/** A moment as its field shows it: relative as typed, absolute as a date. */
function toFieldText(text: string, nowMs: number): string {
  const resolved = resolveTime(text, nowMs);
  return isRelative(text) || resolved === undefined ? text : formatMoment(resolved);
}

/** A field's text as a link carries it: dates become epoch milliseconds, which mean the same in every time zone. */
function toLinkText(text: string, nowMs: number): string {
  const resolved = resolveTime(text, nowMs);
  return isRelative(text) || resolved === undefined ? text.trim() : String(Math.round(resolved));
}

/** Two text fields for a range, relative (`now-2h`) or dates; says what is wrong before it is applied. */
export function RangeFields({ range, nowMs, onApply }: RangeFieldsProps): VNode {
  const [from, setFrom] = useState(toFieldText(range.from, nowMs));
  const [until, setUntil] = useState(toFieldText(range.until, nowMs));
  const resolved = resolveRange({ from, until }, nowMs);
  const problem =
    resolved === undefined ? "Not a range: try now-2h, or 2026-03-01 14:00, the earlier moment first." : "";
  return (
    <form
      class="range-fields"
      onSubmit={(event) => {
        event.preventDefault();
        if (resolved === undefined) return;
        onApply({ from: toLinkText(from, nowMs), until: toLinkText(until, nowMs) });
      }}
    >
      <label>
        From
        <input
          type="text"
          value={from}
          spellcheck={false}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label>
        Until
        <input
          type="text"
          value={until}
          spellcheck={false}
          onInput={(event) => setUntil(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button button-primary" disabled={resolved === undefined}>
        Apply
      </button>
      <p class="range-resolved" role="status" data-problem={problem !== ""}>
        {resolved === undefined ? problem : formatRange(resolved)}
      </p>
    </form>
  );
}

/** Chooses the page's range: presets, relative or absolute. */
export function TimeRangePicker(): VNode {
  const { clock, range } = useApp();
  const [view, go] = useView();
  const nowMs = clock.nowMs.value;
  const apply = (chosen: TimeRange): void => {
    clock.refresh();
    go({ from: chosen.from, until: chosen.until });
  };
  return (
    <Popover
      title="Time range"
      align="end"
      label={
        <>
          <span class="icon" aria-hidden="true">
            ◷
          </span>
          {formatRangeLabel(view, range.value)}
        </>
      }
    >
      {(close) => (
        <div class="range-panel">
          <div class="range-presets">
            {RANGE_PRESETS.map((preset) => (
              <button
                type="button"
                key={preset.from}
                class="menu-item"
                aria-pressed={view.from === preset.from && view.until === "now"}
                onClick={() => {
                  apply({ from: preset.from, until: "now" });
                  close();
                }}
              >
                Last {preset.label.replace(/^1 /, "")}
              </button>
            ))}
          </div>
          <RangeFields
            range={view}
            nowMs={nowMs}
            onApply={(chosen) => {
              apply(chosen);
              close();
            }}
          />
        </div>
      )}
    </Popover>
  );
}
