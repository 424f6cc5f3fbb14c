import type { VNode } from "preact";
import type { Answer } from "../api/receiver-client.ts";
import type { SpanTotals } from "../api/span-totals.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { describeProfileType, titleInSentence } from "../format/profile-type.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { EmptyState } from "./empty-state.tsx";
import { LabelFilterBar } from "./label-filter-bar.tsx";
import { RangeProblem } from "./range-problem.tsx";
import { SpanComparison } from "./span-comparison.tsx";
import { SpanCoverage } from "./span-coverage.tsx";
import { SpanFilterBar } from "./span-filter-bar.tsx";
import { SpanNameTable } from "./span-name-table.tsx";
import { SpanPoints } from "./span-points.tsx";
import { SpanTable } from "./span-table.tsx";
import { AnswerNotice, Busy, Failure } from "./state-notice.tsx";
import { type ResourceView, useResource } from "./use-resource.ts";

/** The spans of a service: what they cost by name, the largest as points over time, and one of them beside the service. */
export function SpansPage(): VNode {
  const { range } = useApp();
  const [view] = useView();
  const resolved = range.value;
  if (resolved === undefined) return <RangeProblem />;
  if (view.type === "") return <EmptyState what="profiles" />;
  const service: ProfileQuery = { type: view.type, selector: view.query || "{}", ...resolved };
  return <Spans query={{ ...service, traceId: view.traceId }} service={service} />;
}

interface SpansProps {
  readonly query: ProfileQuery;
  /** The same without the trace. */
  readonly service: ProfileQuery;
}

function Spans({ query, service }: SpansProps): VNode {
  const [view] = useView();
  const answer = useSpans(query);
  const shown = latest(answer.state);
  const picked = shown?.value.spans.find(({ spanId }) => spanId === view.spanId);
  return (
    <>
      <LabelFilterBar />
      <SpanFilterBar totals={shown?.value} />
      <section class="panel" aria-label="Spans">
        <Failure doing="Reading the spans" resource={answer} />
        <AnswerNotice notices={shown?.notices} />
        <Busy isBusy={answer.state.kind === "loading"} label="Reading the spans">
          {shown === undefined && answer.state.kind !== "failed" && <div class="flame-blank" />}
          {shown !== undefined && <SpanLists totals={shown.value} query={query} />}
        </Busy>
      </section>
      {(view.spanId !== "" || view.traceId !== "") && (
        <SpanComparison query={query} service={service} picked={picked} />
      )}
    </>
  );
}

function useSpans(query: ProfileQuery): ResourceView<Answer<SpanTotals>> {
  const { client } = useApp();
  const [view] = useView();
  const { functionName } = view;
  return useResource(JSON.stringify([query, functionName]), (signal) =>
    client.fetchSpans(query, functionName, signal),
  );
}

interface SpanListsProps {
  readonly totals: SpanTotals;
  readonly query: ProfileQuery;
}

function SpanLists({ totals, query }: SpanListsProps): VNode {
  const what = titleInSentence(describeProfileType(query.type).title);
  if (totals.total === 0) return <EmptyState what={what} />;
  return (
    <>
      <SpanCoverage totals={totals} type={query.type} />
      {totals.spans.length > 0 && (
        <div class="span-lists">
          <SpanNameTable totals={totals} type={query.type} />
          <div class="span-slowest">
            <SpanPoints spans={totals.spans} query={query} />
            <SpanTable totals={totals} type={query.type} />
          </div>
        </div>
      )}
    </>
  );
}
