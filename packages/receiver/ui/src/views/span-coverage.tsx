import type { VNode } from "preact";
import type { SpanTotals } from "../api/span-totals.ts";
import { formatShare, formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType, titleInSentence } from "../format/profile-type.ts";
import { useView } from "./app-context.ts";

interface SpanCoverageProps {
  readonly totals: SpanTotals;
  readonly type: string;
}

/** How much of the samples carries ids of spans, and why it is not more. */
export function SpanCoverage({ totals, type }: SpanCoverageProps): VNode {
  const [view] = useView();
  const { sampleUnit } = parseProfileType(type);
  const title = describeProfileType(type).title;
  const { total, spanTotal, spanCount } = totals;
  const ratio = total > 0 ? spanTotal / total : 0;
  const spans = `${spanCount.toLocaleString("en-US")} ${spanCount === 1 ? "span" : "spans"}`;
  const share = `${formatValue(spanTotal, sampleUnit)} of ${formatValue(total, sampleUnit)}, in ${spans}.`;
  if (view.traceId !== "") {
    return (
      <p class="span-coverage">
        {formatValue(spanTotal, sampleUnit)} of {titleInSentence(title)} in {spans} of this trace.
      </p>
    );
  }
  return (
    <div class="span-coverage">
      <div class="span-coverage-meter" aria-hidden="true">
        <span style={{ width: `${Math.min(100, ratio * 100)}%` }} />
      </div>
      <p>
        <b>{formatShare(ratio)}</b> of {titleInSentence(title)} carries span ids: {share}
      </p>
      {spanCount === 0 ? (
        <NoSpans />
      ) : (
        <details class="hint">
          <summary>Why not all of it?</summary>
          Work outside of spans has no ids, and neither has work in spans that were not sampled: where 1 % of
          traces are sampled, about 1 % of the time that requests take is found here. Tail sampling, which
          decides when a trace is complete, keeps ids on all of it, though many of those traces are dropped
          later.
        </details>
      )}
    </div>
  );
}

function NoSpans(): VNode {
  return (
    <p class="hint">
      No sample here belongs to a span. Spans of Node.js programs come with{" "}
      <code>new PyroscopeSpanProcessor()</code> of <code>@pyroscope-ts/otel-span-profiles</code> beside the
      processor of your exporter, on samples of CPU and wall time; other languages have span processors of
      Pyroscope's own.
    </p>
  );
}
