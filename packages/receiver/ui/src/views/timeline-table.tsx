import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { formatMoment } from "../format/format-time.ts";
import type { RateUnit } from "../format/profile-type.ts";
import type { ChartColumns } from "../layout/chart-columns.ts";

interface TimelineTableProps {
  readonly label: string;
  readonly columns: ChartColumns;
  readonly names: readonly string[];
  readonly unit: RateUnit;
}

/** The numbers behind a chart, for those who cannot see it and those who want them exactly. Built when opened. */
export function TimelineTable({ label, columns, names, unit }: TimelineTableProps): VNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>View as table</summary>
      {isOpen && (
        <div class="chart-table-scroller">
          <table class="data-table" aria-label={`${label}, as a table`}>
            <thead>
              <tr>
                <th scope="col">Until</th>
                {names.map((name) => (
                  <th key={name} scope="col" data-numeric="true">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {columns.seconds.map((seconds, index) => (
                <tr key={seconds}>
                  <th scope="row">{formatMoment(seconds * 1000)}</th>
                  {names.map((name, series) => (
                    <td key={name}>{formatCell(columns.values[series]?.[index], unit)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function formatCell(value: number | null | undefined, unit: RateUnit): string {
  return value === null || value === undefined ? "–" : unit.format(value);
}
