import type { Tree } from "@pyroscope-ts/protocol";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { SpanTotal } from "../api/span-totals.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { skinByName } from "../draw/skin.ts";
import { formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType, titleInSentence } from "../format/profile-type.ts";
import { type FlameNode, layOutTree } from "../layout/flame-graph.ts";
import { findFocus } from "../state/focus-path.ts";
import { formatSelector, parseSelector, serviceOf, withService } from "../state/label-filter.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { describeFrame } from "./describe-frame.ts";
import { ExportMenu } from "./export-menu.tsx";
import { FlamePanel } from "./flame-panel.tsx";
import type { FrameFacts } from "./flame-tooltip.tsx";
import { linkTo } from "./link.ts";
import { nameOf } from "./span-name-table.tsx";
import { AnswerNotice, Busy, Failure } from "./state-notice.tsx";
import { useTree } from "./use-tree.ts";

interface SpanComparisonProps {
  /** With the trace that is looked at. */
  readonly query: ProfileQuery;
  readonly service: ProfileQuery;
  /** The span that is picked, when it is one of the listed ones. */
  readonly picked: SpanTotal | undefined;
}

/** The flame graph of a span, or of a whole trace, beside that of its service. Focusing a frame focuses it in both. */
export function SpanComparison({ query, service, picked }: SpanComparisonProps): VNode {
  const { navigation } = useApp();
  const [view, go] = useView();
  const { spanId } = view;
  const selector = picked === undefined ? service.selector : selectService(service.selector, picked.service);
  const whole = { ...service, selector };
  const own: ProfileQuery = spanId === "" ? query : { ...whole, spanId };
  const name = serviceOf(parseSelector(selector) ?? []) || "All services";
  const leaveSpan = { page: "flame", query: selector, traceId: "", spanId: "", functionName: "" } as const;
  return (
    <section class="panel span-comparison" aria-label="Beside the service">
      <SpanFlame
        title={spanId === "" ? "This trace" : `This span: ${picked === undefined ? spanId : nameOf(picked)}`}
        query={own}
        note="Time that it was on a processor or thread when a sample was taken, not how long it took: your traces say that."
      >
        {spanId !== "" && (
          <button type="button" class="button" onClick={() => go({ spanId: "", path: "" })}>
            Close
          </button>
        )}
      </SpanFlame>
      <SpanFlame
        title={name}
        query={whole}
        note="Everything in the range that the labels select, with and without ids."
      >
        <a class="button" {...linkTo(navigation, leaveSpan)}>
          Open
        </a>
      </SpanFlame>
    </section>
  );
}

/** A selector with one service; one that cannot be taken apart stays as it is. */
function selectService(selector: string, service: string): string {
  const filters = parseSelector(selector);
  return filters === undefined ? selector : formatSelector(withService(filters, service));
}

interface SpanFlameProps {
  readonly title: string;
  readonly query: ProfileQuery;
  readonly note: string;
  readonly children?: VNode | false;
}

function SpanFlame({ title, query, note, children }: SpanFlameProps): VNode {
  const answer = useTree(query);
  const shown = latest(answer.state);
  const { sampleUnit } = parseProfileType(query.type);
  const what = titleInSentence(describeProfileType(query.type).title);
  const total = shown?.value.total[0] ?? 0;
  return (
    <div class="span-flame">
      <div class="panel-bar">
        <h2 class="panel-title">{title}</h2>
        <span class="spacer-flex" />
        <p class="profile-total" title={note}>
          <b>{formatValue(total, sampleUnit)}</b> of {what}
        </p>
        <ExportMenu query={query} />
        {children}
      </div>
      <Failure doing="Reading the flame graph" resource={answer} />
      <AnswerNotice notices={shown?.notices} />
      <Busy isBusy={answer.state.kind === "loading"} label="Reading the flame graph">
        {shown !== undefined && total === 0 && answer.state.kind === "ready" && (
          <p class="hint">
            No {what} was sampled here in this range. Short spans often fall between two samples.
          </p>
        )}
        {shown !== undefined && total !== 0 && <Flame tree={shown.value} unit={sampleUnit} />}
      </Busy>
    </div>
  );
}

function Flame({ tree, unit }: { tree: Tree; unit: string }): VNode {
  const { theme } = useApp();
  const [view] = useView();
  const scheme = theme.scheme.value;
  const graph = useMemo(() => layOutTree(tree), [tree]);
  const skin = useMemo(() => skinByName(graph, scheme), [graph, scheme]);
  const focus = useMemo(() => findFocus(graph, view.path).node, [graph, view.path]);
  const whole = tree.total[0] ?? 0;
  const describe = (node: FlameNode): FrameFacts =>
    describeFrame(tree, node, {
      format: (value) => formatValue(value, unit),
      whole,
      focusTotal: tree.total[focus] ?? whole,
      isFocused: focus !== 0,
    });
  return <FlamePanel graph={graph} skin={skin} match={undefined} describe={describe} />;
}
