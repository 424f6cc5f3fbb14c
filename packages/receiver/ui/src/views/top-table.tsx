import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { shortenFrame } from "../format/format-frame.ts";
import { formatShare } from "../format/format-value.ts";
import { sortFunctions, type TopFunction, type TopOrder } from "../layout/top-functions.ts";
import type { TopSort } from "../state/url-state.ts";
import { useView } from "./app-context.ts";
import { useVirtualRows } from "./use-virtual-rows.ts";

/** Height of a row; the style sheet knows the same number. */
export const TABLE_ROW_PX = 26;

interface TopTableProps {
  readonly functions: readonly TopFunction[];
  readonly whole: number;
  readonly format: (value: number) => string;
}

type Column = TopOrder["column"];

const COLUMNS: readonly { readonly column: Column; readonly label: string; readonly help: string }[] = [
  { column: "name", label: "Function", help: "" },
  { column: "self", label: "Self", help: "spent in the function itself" },
  { column: "total", label: "Total", help: "with everything it called" },
];

/** The order that a link's text names. */
function parseSort(sort: TopSort): TopOrder {
  const isDescending = sort.startsWith("-");
  const column = COLUMNS.find((known) => sort.endsWith(known.column))?.column ?? "self";
  return { column, isDescending };
}

function nextSort(sort: TopSort, column: Column): TopSort {
  const order = parseSort(sort);
  if (order.column === column) return order.isDescending ? column : `-${column}`;
  return column === "name" ? column : `-${column}`;
}

/** Every function with its self and total value; a click highlights it in the flame graph. */
export function TopTable({ functions, whole, format }: TopTableProps): VNode {
  const [view, go] = useView();
  const order = parseSort(view.sort);
  const rows = useMemo(
    () => sortFunctions(functions, { column: order.column, isDescending: order.isDescending }),
    [functions, order.column, order.isDescending],
  );
  const visible = useVirtualRows(rows.length, TABLE_ROW_PX);
  return (
    <div class="table-scroller" ref={visible.scroller}>
      <table class="data-table" aria-rowcount={rows.length + 1} aria-label="Functions">
        <thead>
          <tr>
            {COLUMNS.map(({ column, label, help }) => (
              <th
                key={column}
                scope="col"
                data-numeric={column !== "name"}
                aria-sort={order.column !== column ? "none" : order.isDescending ? "descending" : "ascending"}
              >
                <button type="button" title={help} onClick={() => go({ sort: nextSort(view.sort, column) })}>
                  {label}
                  <SortArrow isShown={order.column === column} isDescending={order.isDescending} />
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer heightPx={visible.abovePx} />
          {rows.slice(visible.first, visible.end).map((row, index) => (
            <TopRow
              key={row.nameIndex}
              row={row}
              rowIndex={visible.first + index + 2}
              whole={whole}
              format={format}
            />
          ))}
          <Spacer heightPx={visible.belowPx} />
        </tbody>
      </table>
    </div>
  );
}

function SortArrow({ isShown, isDescending }: { isShown: boolean; isDescending: boolean }): VNode {
  return (
    <span class="sort-arrow" aria-hidden="true">
      {isShown ? (isDescending ? "▼" : "▲") : ""}
    </span>
  );
}

/** Stands for the rows that are not drawn. */
export function Spacer({ heightPx }: { heightPx: number }): VNode | null {
  if (heightPx <= 0) return null;
  return (
    <tr class="spacer">
      <td style={{ height: `${heightPx}px` }} />
    </tr>
  );
}

interface TopRowProps {
  readonly row: TopFunction;
  readonly rowIndex: number;
  readonly whole: number;
  readonly format: (value: number) => string;
}

function TopRow({ row, rowIndex, whole, format }: TopRowProps): VNode {
  const [view, go] = useView();
  const isChosen = view.search === row.name;
  return (
    <tr aria-rowindex={rowIndex} data-chosen={isChosen}>
      <th scope="row">
        <button
          type="button"
          class="row-name"
          title={row.name}
          aria-pressed={isChosen}
          onClick={() => go({ search: isChosen ? "" : row.name })}
        >
          {shortenFrame(row.name)}
        </button>
      </th>
      <Measured value={row.self} whole={whole} format={format} />
      <Measured value={row.total} whole={whole} format={format} />
    </tr>
  );
}

interface MeasuredProps {
  readonly value: number;
  readonly whole: number;
  readonly format: (value: number) => string;
}

function Measured({ value, whole, format }: MeasuredProps): VNode {
  const ratio = whole > 0 ? value / whole : 0;
  return (
    <td class="measured">
      <span class="measured-bar" style={{ width: `${Math.min(100, ratio * 100)}%` }} />
      <span class="measured-share">{formatShare(ratio)}</span>
      <span class="measured-value">{format(value)}</span>
    </td>
  );
}
