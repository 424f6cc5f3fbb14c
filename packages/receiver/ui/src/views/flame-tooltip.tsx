import type { VNode } from "preact";
import { splitFrame } from "../format/format-frame.ts";

/** What is said of one frame. */
export interface FrameFacts {
  readonly name: string;
  readonly rows: readonly { readonly label: string; readonly value: string }[];
  /** Name of the frame above; "" at the root. */
  readonly caller: string;
  /** Text of `rows` for a screen reader. */
  readonly summary: string;
}

interface FlameTooltipProps {
  readonly facts: FrameFacts;
  readonly place: { readonly x: number; readonly y: number };
}

const WIDTH_PX = 380;
const MARGIN_PX = 14;

/** Facts beside the pointer, kept inside the window. */
export function FlameTooltip({ facts, place }: FlameTooltipProps): VNode {
  const { functionName, location } = splitFrame(facts.name);
  const left = Math.max(8, Math.min(place.x + MARGIN_PX, window.innerWidth - WIDTH_PX - 8));
  const isLow = place.y > window.innerHeight * 0.7;
  const vertical = isLow
    ? { bottom: `${window.innerHeight - place.y + MARGIN_PX}px` }
    : { top: `${place.y + MARGIN_PX}px` };
  return (
    <div class="tooltip" role="presentation" style={{ left: `${left}px`, ...vertical }}>
      <div class="tooltip-name">{functionName}</div>
      {location !== "" && <div class="tooltip-place">{location}</div>}
      <dl>
        {facts.rows.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {facts.caller !== "" && (
          <div>
            <dt>Called by</dt>
            <dd class="tooltip-caller">{splitFrame(facts.caller).functionName}</dd>
          </div>
        )}
      </dl>
      <div class="tooltip-hint">Click to focus</div>
    </div>
  );
}
