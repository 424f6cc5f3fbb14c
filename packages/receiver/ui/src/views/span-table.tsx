import type { VNode } from "preact";
import type { SpanTotal, SpanTotals } from "../api/span-totals.ts";
import { formatMoment } from "../format/format-time.ts";
import { formatShare, formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType } from "../format/profile-type.ts";
import { parseSelector, serviceOf } from "../state/label-filter.ts";
import { useView } from "./app-context.ts";
import { nameOf } from "./span-name-table.tsx";
import { TraceLink } from "./trace-link.tsx";

interface SpanTableProps {
  readonly totals: SpanTotals;
  readonly type: string;
}

/** The slowest spans; a click shows one of them beside its service. */
export function SpanTable({ totals, type }: SpanTableProps): VNode {
  const [view] = useView();
  const isOneService = serviceOf(parseSelector(view.query) ?? []) !== "";
  const { spans, spanCount } = totals;
  const hasLinks = spans.some(({ traceUrl }) => traceUrl !== "");
  return (
    <>
      <div class="span-scroller">
        <table class="data-table" aria-label="Slowest spans">
          <thead>
            <tr>
              <th scope="col">Span</th>
              {!isOneService && <th scope="col">Service</th>}
              <th scope="col">Profile of</th>
              <th scope="col" data-numeric="true">
                {describeProfileType(type).title}
              </th>
              <th scope="col">Trace</th>
            </tr>
          </thead>
          <tbody>
            {spans.map((span) => (
              <SpanRow
                key={`${span.service} ${span.traceId} ${span.spanId}`}
                span={span}
                largest={spans[0]?.total ?? 0}
                unit={parseProfileType(type).sampleUnit}
                isOneService={isOneService}
                hasLinks={hasLinks}
              />
            ))}
          </tbody>
        </table>
      </div>
      {spanCount > spans.length && (
        <p class="hint">
          The {spans.length} slowest of {spanCount.toLocaleString("en-US")} spans. Choose a name, a label or a
          shorter range to see others.
        </p>
      )}
    </>
  );
}

interface SpanRowProps {
  readonly span: SpanTotal;
  readonly largest: number;
  readonly unit: string;
  readonly isOneService: boolean;
  readonly hasLinks: boolean;
}

function SpanRow({ span, largest, unit, isOneService, hasLinks }: SpanRowProps): VNode {
  const [view, go] = useView();
  const isChosen = view.spanId === span.spanId;
  const ratio = largest > 0 ? span.total / largest : 0;
  return (
    <tr data-chosen={isChosen}>
      <th scope="row">
        <button
          type="button"
          class="row-name"
          title={`Show span ${span.spanId} (${nameOf(span)}) beside its service`}
          aria-pressed={isChosen}
          onClick={() => go({ spanId: isChosen ? "" : span.spanId, path: "" })}
        >
          {nameOf(span)}
        </button>
      </th>
      {!isOneService && <td class="span-service">{span.service}</td>}
      <td class="span-time">
        <time>{formatMoment(span.firstMs)}</time>
      </td>
      <td class="measured" title={`${formatShare(ratio)} of the slowest span`}>
        <span class="measured-bar" style={{ width: `${Math.min(100, ratio * 100)}%` }} />
        <span class="measured-value">{formatValue(span.total, unit)}</span>
      </td>
      <td class="span-trace">
        {span.traceId !== "" && view.traceId === "" && (
          <button
            type="button"
            class="row-name"
            title={`Show only trace ${span.traceId}`}
            onClick={() => go({ traceId: span.traceId, spanId: "", path: "" })}
          >
            {span.traceId.slice(0, 8)}…
          </button>
        )}{" "}
        {hasLinks && <TraceLink url={span.traceUrl} traceId={span.traceId} />}
      </td>
    </tr>
  );
}
