import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { SpanTotal } from "../api/span-totals.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { formatMoment } from "../format/format-time.ts";
import { formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType } from "../format/profile-type.ts";
import { placeSpans } from "../layout/span-points.ts";
import { useApp, useView } from "./app-context.ts";
import { linkTo } from "./link.ts";
import { nameOf } from "./span-name-table.tsx";

interface SpanPointsProps {
  /** Slowest first. */
  readonly spans: readonly SpanTotal[];
  readonly query: ProfileQuery;
}

const HEIGHT_PX = 150;
// Half of a point, so that none is cut off at the edges.
const INSET_PX = 8;

/** The slowest spans as points over time; a click picks one. The table below says the same to keyboards and screen readers. */
export function SpanPoints({ spans, query }: SpanPointsProps): VNode {
  const { navigation } = useApp();
  const [view] = useView();
  const { sampleUnit } = parseProfileType(query.type);
  const points = useMemo(() => placeSpans(spans, query), [spans, query.fromMs, query.untilMs]);
  const toY = (bottom: number): number => HEIGHT_PX - INSET_PX - bottom * (HEIGHT_PX - 2 * INSET_PX);
  const { title } = describeProfileType(query.type);
  return (
    <figure class="span-points">
      <figcaption class="span-points-top">
        <h2 class="panel-title">Slowest spans</h2>
        <span class="hint">
          {title} of a span over time, up to {formatValue(spans[0]?.total ?? 0, sampleUnit)}
        </span>
      </figcaption>
      <svg height={HEIGHT_PX} aria-hidden="true">
        <line class="span-points-base" x1="0" x2="100%" y1={toY(0)} y2={toY(0)} />
        {points.toReversed().map(({ span, left, right, bottom }) => (
          <a
            key={`${span.service} ${span.traceId} ${span.spanId}`}
            class="span-point"
            data-chosen={span.spanId === view.spanId}
            tabIndex={-1}
            {...linkTo(navigation, { spanId: span.spanId, path: "" })}
          >
            <title>{`${nameOf(span)}, ${formatValue(span.total, sampleUnit)}, ${formatMoment(span.firstMs)}`}</title>
            {right > left && <line x1={toX(left)} x2={toX(right)} y1={toY(bottom)} y2={toY(bottom)} />}
            <circle cx={toX(left)} cy={toY(bottom)} r="5" />
          </a>
        ))}
      </svg>
      <div class="span-points-axis hint">
        <time>{formatMoment(query.fromMs)}</time>
        <time>{formatMoment(query.untilMs)}</time>
      </div>
    </figure>
  );
}

// From 1 to 99 %: a point at the edge is whole.
function toX(left: number): string {
  return `${(1 + left * 98).toFixed(2)}%`;
}
