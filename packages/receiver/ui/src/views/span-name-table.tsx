import type { VNode } from "preact";
import type { SpanNameTotal, SpanTotals } from "../api/span-totals.ts";
import { formatShare, formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType } from "../format/profile-type.ts";
import { formatSelector, parseSelector, serviceOf, withFilter, withService } from "../state/label-filter.ts";
import { useView } from "./app-context.ts";

/** The label that SDKs name spans with. */
const SPAN_NAME_LABEL = "span_name";

interface SpanNameTableProps {
  readonly totals: SpanTotals;
  readonly type: string;
}

/** Names of spans by what all spans of that name cost; a click keeps one of them. */
export function SpanNameTable({ totals, type }: SpanNameTableProps): VNode {
  const [view] = useView();
  const isOneService = serviceOf(parseSelector(view.query) ?? []) !== "";
  return (
    <div class="span-names">
      <h2 class="panel-title">By name</h2>
      <div class="span-scroller">
        <table class="data-table" aria-label="Spans by name">
          <thead>
            <tr>
              <th scope="col">Span</th>
              {!isOneService && <th scope="col">Service</th>}
              <th scope="col" data-numeric="true">
                Spans
              </th>
              <th scope="col" data-numeric="true">
                {describeProfileType(type).title}
              </th>
            </tr>
          </thead>
          <tbody>
            {totals.names.map((row) => (
              <NameRow
                key={JSON.stringify([row.service, row.name])}
                row={row}
                whole={totals.total}
                type={type}
                isOneService={isOneService}
              />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface NameRowProps {
  readonly row: SpanNameTotal;
  readonly whole: number;
  readonly type: string;
  readonly isOneService: boolean;
}

function NameRow({ row, whole, type, isOneService }: NameRowProps): VNode {
  const [view, go] = useView();
  const filters = parseSelector(view.query) ?? [];
  const added = { name: SPAN_NAME_LABEL, operator: "=", value: row.name } as const;
  const ratio = whole > 0 ? row.total / whole : 0;
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="row-name"
          title={`Show only spans named ${nameOf(row)}`}
          onClick={() =>
            go({
              query: formatSelector(withFilter(withService(filters, row.service), added)),
              spanId: "",
              path: "",
            })
          }
        >
          {nameOf(row)}
        </button>
      </th>
      {!isOneService && <td class="span-service">{row.service}</td>}
      <td>{row.spanCount.toLocaleString("en-US")}</td>
      <td class="measured">
        <span class="measured-bar" style={{ width: `${Math.min(100, ratio * 100)}%` }} />
        <span class="measured-share">{formatShare(ratio)}</span>
        <span class="measured-value">{formatValue(row.total, parseProfileType(type).sampleUnit)}</span>
      </td>
    </tr>
  );
}

/** A span's name as it is shown. */
export function nameOf({ name }: { readonly name: string }): string {
  return name === "" ? "(no name)" : name;
}
