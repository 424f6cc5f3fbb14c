import type { VNode } from "preact";
import { type ChangeFormat, chooseArrow } from "../format/format-change.ts";
import { shortenFrame } from "../format/format-frame.ts";
import type { Change } from "../layout/change-ranking.ts";
import { useView } from "./app-context.ts";
import { Spacer, TABLE_ROW_PX } from "./top-table.tsx";
import { useVirtualRows } from "./use-virtual-rows.ts";

interface ChangeTableProps {
  readonly changes: readonly Change[];
  readonly format: ChangeFormat;
}

/** What changed, the largest change first; a click highlights the function in the flame graph. */
export function ChangeTable({ changes, format }: ChangeTableProps): VNode {
  const visible = useVirtualRows(changes.length, TABLE_ROW_PX);
  const largest = changes.reduce((most, { delta }) => Math.max(most, Math.abs(delta)), 0);
  return (
    <div class="table-scroller" ref={visible.scroller}>
      <table class="data-table" aria-rowcount={changes.length + 1} aria-label="What changed, largest first">
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" data-numeric="true">
              A
            </th>
            <th scope="col" data-numeric="true">
              B
            </th>
            <th scope="col" data-numeric="true">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          <Spacer heightPx={visible.abovePx} />
          {changes.slice(visible.first, visible.end).map((change, index) => (
            <ChangeRow
              key={change.nameIndex}
              change={change}
              rowIndex={visible.first + index + 2}
              largest={largest}
              format={format}
            />
          ))}
          <Spacer heightPx={visible.belowPx} />
        </tbody>
      </table>
      {changes.length === 0 && <p class="hint table-empty">Nothing changed.</p>}
    </div>
  );
}

interface ChangeRowProps {
  readonly change: Change;
  readonly rowIndex: number;
  readonly largest: number;
  readonly format: ChangeFormat;
}

function ChangeRow({ change, rowIndex, largest, format }: ChangeRowProps): VNode {
  const [view, go] = useView();
  const { name, left, right, delta, kind } = change;
  const isChosen = view.search === name;
  const width = largest > 0 ? (Math.abs(delta) / largest) * 100 : 0;
  return (
    <tr aria-rowindex={rowIndex} data-chosen={isChosen}>
      <th scope="row">
        <div class="change-name">
          <button
            type="button"
            class="row-name"
            title={name}
            aria-pressed={isChosen}
            onClick={() => go({ search: isChosen ? "" : name })}
          >
            {shortenFrame(name)}
          </button>
          {(kind === "new" || kind === "gone") && (
            <span class="kind" data-kind={kind}>
              {kind}
            </span>
          )}
        </div>
      </th>
      <td>{left === 0 ? "–" : format.value(left)}</td>
      <td>{right === 0 ? "–" : format.value(right)}</td>
      <td class="delta" data-sign={delta > 0 ? "slower" : "faster"}>
        <span class="delta-bar" style={{ width: `${width}%` }} />
        <span class="delta-text">
          {chooseArrow(delta)} {format.delta(delta)}
        </span>
      </td>
    </tr>
  );
}
