import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { formatMoment, formatRange } from "../format/format-time.ts";
import { moveEnd, moveRange } from "../state/brush.ts";
import type { SideName } from "../state/diff-sides.ts";
import type { ResolvedRange } from "../state/time-range.ts";

interface RangeBandProps {
  readonly side: SideName;
  readonly range: ResolvedRange;
  readonly window: ResolvedRange;
  readonly onChange: (range: ResolvedRange) => void;
}

type Grip = "from" | "until" | "whole";

// One press of an arrow key, as a part of what is in sight; with Shift ten times as far.
const KEY_STEP_RATIO = 1 / 240;

/** A side's range on the shared timeline: drag its ends or its label, or move its ends with the arrow keys. */
export function RangeBand({ side, range, window: bounds, onChange }: RangeBandProps): VNode {
  // While dragged, the band follows the pointer; the page follows when it is let go.
  const [dragged, setDragged] = useState<ResolvedRange | undefined>(undefined);
  const band = useRef<HTMLDivElement>(null);
  const shown = dragged ?? range;
  const lengthMs = bounds.untilMs - bounds.fromMs;
  const toPercent = (timeMs: number): number =>
    Math.min(100, Math.max(0, ((timeMs - bounds.fromMs) / lengthMs) * 100));
  const left = toPercent(shown.fromMs);
  const letter = side === "left" ? "A" : "B";
  const startDrag = (grip: Grip, event: PointerEvent): void => {
    const plot = band.current?.parentElement;
    if (plot === null || plot === undefined || event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    followPointer(event, plot.clientWidth, lengthMs, (offsetMs, isDone) => {
      const moved = moveGrip(range, grip, offsetMs, bounds);
      setDragged(isDone ? undefined : moved);
      if (isDone) onChange(moved);
    });
  };
  const handle = (end: "from" | "until"): VNode => (
    <Handle
      letter={letter}
      end={end}
      timeMs={end === "from" ? shown.fromMs : shown.untilMs}
      bounds={bounds}
      onPointerDown={(event) => startDrag(end, event)}
      onStep={(ratio) => onChange(moveGrip(range, end, ratio * lengthMs, bounds))}
    />
  );
  return (
    <div
      ref={band}
      class="band"
      data-side={side}
      style={{ left: `${left}%`, width: `${toPercent(shown.untilMs) - left}%` }}
    >
      {handle("from")}
      <div
        class="band-label"
        role="presentation"
        title={`${letter}: ${formatRange(shown)}. Drag to move.`}
        onPointerDown={(event) => startDrag("whole", event)}
      >
        {letter}
      </div>
      {handle("until")}
    </div>
  );
}

function moveGrip(range: ResolvedRange, grip: Grip, offsetMs: number, bounds: ResolvedRange): ResolvedRange {
  if (grip === "whole") return moveRange(range, offsetMs, bounds);
  return moveEnd(range, grip, (grip === "from" ? range.fromMs : range.untilMs) + offsetMs, bounds);
}

function followPointer(
  start: PointerEvent,
  widthPx: number,
  lengthMs: number,
  onMove: (offsetMs: number, isDone: boolean) => void,
): void {
  const abort = new AbortController();
  const { signal } = abort;
  const toOffset = (event: PointerEvent): number =>
    ((event.clientX - start.clientX) / Math.max(1, widthPx)) * lengthMs;
  document.addEventListener("pointermove", (event) => onMove(toOffset(event), false), { signal });
  for (const end of ["pointerup", "pointercancel"] as const) {
    document.addEventListener(
      end,
      (event) => {
        abort.abort();
        onMove(toOffset(event), true);
      },
      { signal },
    );
  }
}

interface HandleProps {
  readonly letter: string;
  readonly end: "from" | "until";
  readonly timeMs: number;
  readonly bounds: ResolvedRange;
  readonly onPointerDown: (event: PointerEvent) => void;
  /** Moves by a part of what is in sight. */
  readonly onStep: (ratio: number) => void;
}

function Handle({ letter, end, timeMs, bounds, onPointerDown, onStep }: HandleProps): VNode {
  return (
    <div
      class="band-handle"
      data-end={end}
      role="slider"
      tabIndex={0}
      aria-label={`${letter} ${end}`}
      aria-valuemin={bounds.fromMs}
      aria-valuemax={bounds.untilMs}
      aria-valuenow={timeMs}
      aria-valuetext={formatMoment(timeMs)}
      onPointerDown={onPointerDown}
      onKeyDown={(event) => {
        const direction = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (direction === 0) return;
        event.preventDefault();
        event.stopPropagation();
        onStep(direction * KEY_STEP_RATIO * (event.shiftKey ? 10 : 1));
      }}
    />
  );
}
