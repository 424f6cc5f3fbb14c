import type { Tree } from "@pyroscope-ts/protocol";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { Answer } from "../api/receiver-client.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { skinByName } from "../draw/skin.ts";
import { formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType, titleInSentence } from "../format/profile-type.ts";
import { type FlameNode, layOutTree } from "../layout/flame-graph.ts";
import { measureMatchRatio, searchNames } from "../layout/frame-search.ts";
import { listFunctions } from "../layout/top-functions.ts";
import { findFocus } from "../state/focus-path.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { describeFrame } from "./describe-frame.ts";
import { EmptyState } from "./empty-state.tsx";
import { ExportMenu } from "./export-menu.tsx";
import { FlamePanel } from "./flame-panel.tsx";
import type { FrameFacts } from "./flame-tooltip.tsx";
import { LabelFilterBar } from "./label-filter-bar.tsx";
import { linkTo } from "./link.ts";
import { PaneSwitch } from "./pane-switch.tsx";
import { RangeProblem } from "./range-problem.tsx";
import { SearchField } from "./search-field.tsx";
import { AnswerNotice, Busy, Failure } from "./state-notice.tsx";
import { TimelinePanel } from "./timeline-panel.tsx";
import { TopTable } from "./top-table.tsx";
import { useMeanRatio } from "./use-mean-ratio.ts";
import type { ResourceView } from "./use-resource.ts";
import { useTree } from "./use-tree.ts";

/** One profile: its timeline, flame graph and functions. */
export function ProfilePage(): VNode {
  const { range } = useApp();
  const [view] = useView();
  const resolved = range.value;
  if (resolved === undefined) {
    return <RangeProblem />;
  }
  if (view.type === "") return <EmptyState what="profiles" />;
  const query: ProfileQuery = { type: view.type, selector: view.query || "{}", ...resolved };
  return <Profile query={query} />;
}

function Profile({ query }: { query: ProfileQuery }): VNode {
  const answer = useTree(query);
  return (
    <>
      <LabelFilterBar />
      <TimelinePanel query={query} main={answer} />
      <ProfilePanel query={query} answer={answer} />
    </>
  );
}

interface ProfilePanelProps {
  readonly query: ProfileQuery;
  readonly answer: ResourceView<Answer<Tree>>;
}

function ProfilePanel({ query, answer }: ProfilePanelProps): VNode {
  const shown = latest(answer.state);
  const isEmpty = shown !== undefined && (shown.value.total[0] ?? 0) === 0;
  return (
    <section class="panel panel-main" aria-label="Profile">
      <Failure doing="Reading the flame graph" resource={answer} />
      <AnswerNotice notices={shown?.notices} />
      <Busy isBusy={answer.state.kind === "loading"} label="Reading the flame graph">
        {shown === undefined && answer.state.kind !== "failed" && <div class="flame-blank" />}
        {isEmpty && answer.state.kind !== "loading" && (
          <EmptyState what={titleInSentence(describeProfileType(query.type).title)} />
        )}
        {shown !== undefined && !isEmpty && <TreeView tree={shown.value} query={query} />}
      </Busy>
    </section>
  );
}

interface TreeViewProps {
  readonly tree: Tree;
  readonly query: ProfileQuery;
}

function TreeView({ tree, query }: TreeViewProps): VNode {
  const { theme } = useApp();
  const [view] = useView();
  const scheme = theme.scheme.value;
  const { sampleUnit } = parseProfileType(query.type);
  const mean = useMeanRatio(query, tree.total[0] ?? 0);
  const graph = useMemo(() => layOutTree(tree), [tree]);
  const skin = useMemo(() => skinByName(graph, scheme), [graph, scheme]);
  const match = useMemo(() => searchNames(tree.names, view.search), [tree, view.search]);
  const functions = useMemo(() => listFunctions(tree), [tree]);
  const focus = useMemo(() => findFocus(graph, view.path).node, [graph, view.path]);
  const found = match && { ...match, ratio: measureMatchRatio(graph, match, focus) };
  const format = (value: number): string => formatValue(value * mean.ratio, sampleUnit);
  const whole = tree.total[0] ?? 0;
  const describe = (node: FlameNode): FrameFacts =>
    describeFrame(tree, node, {
      format,
      whole,
      focusTotal: tree.total[focus] ?? whole,
      isFocused: focus !== 0,
    });
  return (
    <>
      <div class="panel-bar">
        <PaneSwitch />
        <SearchField found={found} />
        <span class="spacer-flex" />
        <p class="profile-total">
          <b>{format(whole)}</b> of {titleInSentence(describeProfileType(query.type).title)}
          {mean.note}
        </p>
        <SpansLink functionName={graph.names[graph.name[focus] ?? 0] ?? ""} isFocused={focus !== 0} />
        <LinesToggle />
        <ExportMenu query={query} />
      </div>
      <div class="split" data-pane={view.pane}>
        {view.pane !== "flame" && <TopTable functions={functions} whole={whole} format={format} />}
        {view.pane !== "table" && <FlamePanel graph={graph} skin={skin} match={match} describe={describe} />}
      </div>
    </>
  );
}

interface SpansLinkProps {
  readonly functionName: string;
  readonly isFocused: boolean;
}

/** From the flame graph to the spans behind it, or behind its focused frame. */
function SpansLink({ functionName, isFocused }: SpansLinkProps): VNode {
  const { navigation } = useApp();
  const [view] = useView();
  // Told apart by lines, a frame is named after more than its function.
  const isFunction = isFocused && !view.lines;
  const title = isFunction
    ? `Spans that have ${functionName} on their stacks, the largest first`
    : "Spans that these samples belong to, the largest first";
  const change = { page: "spans", functionName: isFunction ? functionName : "", path: "" } as const;
  return (
    <a class="button" title={title} {...linkTo(navigation, change)}>
      {isFunction ? "Spans behind it" : "Spans"}
    </a>
  );
}

/** Tells the lines of one function apart, or not. */
export function LinesToggle(): VNode {
  const [view, go] = useView();
  return (
    <button
      type="button"
      class="button button-toggle"
      aria-pressed={view.lines}
      title={
        view.lines
          ? "Frames are told apart by file and line. Click to merge the lines of each function"
          : "Click to show the file and line of every frame, and tell the lines of one function apart"
      }
      onClick={() => go({ lines: !view.lines, path: "" })}
    >
      Lines
    </button>
  );
}
