import type { DiffTree } from "@pyroscope-ts/protocol";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { diffColours, skinByChange } from "../draw/skin.ts";
import { type ChangeFormat, chooseArrow, chooseChangeFormat } from "../format/format-change.ts";
import { chooseRateUnit, describeProfileType } from "../format/profile-type.ts";
import { chooseScale, filterChanges, judgeChanges, rankChanges } from "../layout/change-ranking.ts";
import { type FlameNode, layOutDiff, type SideScale } from "../layout/flame-graph.ts";
import { measureMatchRatio, searchNames } from "../layout/frame-search.ts";
import { findFocus } from "../state/focus-path.ts";
import type { ChangeFilter, Measure, Norm, Palette } from "../state/url-state.ts";
import { useApp, useView } from "./app-context.ts";
import { ChangeTable } from "./change-table.tsx";
import { findCaller } from "./describe-frame.ts";
import type { ShownSideFacts } from "./diff-page.tsx";
import { FlamePanel } from "./flame-panel.tsx";
import type { FrameFacts } from "./flame-tooltip.tsx";
import { PaneSwitch } from "./pane-switch.tsx";
import { LinesToggle } from "./profile-page.tsx";
import { SearchField } from "./search-field.tsx";
import { Segmented } from "./segmented.tsx";
import { VerdictLine } from "./verdict-line.tsx";

interface DiffViewProps {
  readonly diff: DiffTree;
  readonly type: string;
  readonly facts: { readonly left: ShownSideFacts; readonly right: ShownSideFacts };
}

/** The verdict, the ranked changes and the flame graph of a comparison. */
export function DiffView({ diff, type, facts }: DiffViewProps): VNode {
  const { theme } = useApp();
  const [view] = useView();
  const scheme = theme.scheme.value;
  const { palette, norm, measure } = view;
  const { seconds: leftSeconds, meanRatio: leftRatio } = facts.left;
  const { seconds: rightSeconds, meanRatio: rightRatio } = facts.right;
  const scale = useMemo(
    () =>
      chooseScale(diff, norm, {
        left: { seconds: leftSeconds, meanRatio: leftRatio },
        right: { seconds: rightSeconds, meanRatio: rightRatio },
      }),
    [diff, norm, leftSeconds, leftRatio, rightSeconds, rightRatio],
  );
  const graph = useMemo(() => layOutDiff(diff, scale), [diff, scale]);
  const skin = useMemo(() => skinByChange(diff, scale, { palette, scheme }), [diff, scale, palette, scheme]);
  const match = useMemo(() => searchNames(diff.names, view.search), [diff, view.search]);
  const ranked = useMemo(() => rankChanges(diff, scale, measure), [diff, scale, measure]);
  // The verdict is about a function's own value: callers grow with what they call.
  const verdict = useMemo(() => judgeChanges(rankChanges(diff, scale, "self")), [diff, scale]);
  const focus = useMemo(() => findFocus(graph, view.path).node, [graph, view.path]);
  const format = useMemo(() => chooseChangeFormat(norm, type), [norm, type]);
  const found = match && { ...match, ratio: measureMatchRatio(graph, match, focus) };
  return (
    <>
      <VerdictLine
        verdict={verdict}
        format={format}
        totals={{ left: facts.left.amount, right: facts.right.amount, format: chooseRateUnit(type).format }}
      />
      <div class="panel-bar">
        <PaneSwitch />
        <SearchField found={found} />
        <span class="spacer-flex" />
        <NormSwitch type={type} />
        <LinesToggle />
      </div>
      <div class="split split-diff" data-pane={view.pane}>
        {view.pane !== "flame" && (
          <div class="changes" data-palette={palette}>
            <ChangeBar />
            <ChangeTable changes={filterChanges(ranked, view.changes)} format={format} />
          </div>
        )}
        {view.pane !== "table" && (
          <div class="flame-column">
            <DiffLegend />
            <FlamePanel
              graph={graph}
              skin={skin}
              match={match}
              describe={(node) => describeFrame(diff, node, scale, format)}
            />
          </div>
        )}
      </div>
    </>
  );
}

function describeFrame(diff: DiffTree, node: FlameNode, scale: SideScale, format: ChangeFormat): FrameFacts {
  const name = diff.names[diff.name[node] ?? 0] ?? "";
  const left = (diff.leftTotal[node] ?? 0) * scale.left;
  const right = (diff.rightTotal[node] ?? 0) * scale.right;
  const change = right - left;
  const word = change === 0 ? "unchanged" : `${chooseArrow(change)} ${format.delta(change)}`;
  const rows = [
    { label: "A, baseline", value: format.value(left) },
    { label: "B, comparison", value: format.value(right) },
    { label: "Change", value: word },
    {
      label: "Self, A → B",
      value: `${format.value((diff.leftSelf[node] ?? 0) * scale.left)} → ${format.value((diff.rightSelf[node] ?? 0) * scale.right)}`,
    },
  ];
  return {
    name,
    rows,
    caller: findCaller(diff, node),
    summary: `${name}, baseline ${format.value(left)}, comparison ${format.value(right)}, ${word}`,
  };
}

const FILTERS: readonly { readonly value: ChangeFilter; readonly label: string }[] = [
  { value: "all", label: "All" },
  { value: "grew", label: "Grew" },
  { value: "shrank", label: "Shrank" },
  { value: "new", label: "New" },
  { value: "gone", label: "Gone" },
];
const MEASURES: readonly { readonly value: Measure; readonly label: string; readonly title: string }[] = [
  { value: "self", label: "Self", title: "What functions spent themselves" },
  { value: "total", label: "Total", title: "With everything they called" },
];

function ChangeBar(): VNode {
  const [view, go] = useView();
  return (
    <div class="change-bar">
      <Segmented
        label="Changes shown"
        options={FILTERS}
        value={view.changes}
        onChoose={(changes) => go({ changes })}
      />
      <Segmented
        label="Measured by"
        options={MEASURES}
        value={view.measure}
        onChoose={(measure) => go({ measure })}
      />
    </div>
  );
}

const NORMS: readonly { readonly value: Norm; readonly label: string; readonly title: string }[] = [
  { value: "share", label: "Share", title: "Parts of each side's whole: what changed in proportion" },
  { value: "rate", label: "Rate", title: "Per second: ranges of different lengths compare" },
  { value: "absolute", label: "Absolute", title: "Values as they are" },
];

function NormSwitch({ type }: { type: string }): VNode {
  const [view, go] = useView();
  const options = describeProfileType(type).isInstant ? NORMS.filter(({ value }) => value !== "rate") : NORMS;
  return (
    <Segmented label="Compared by" options={options} value={view.norm} onChoose={(norm) => go({ norm })} />
  );
}

const OTHER_PALETTE: Readonly<Record<Palette, Palette>> = {
  "red-green": "blue-orange",
  "blue-orange": "red-green",
};

function DiffLegend(): VNode {
  const { theme } = useApp();
  const [view, go] = useView();
  return (
    <div class="legend">
      <span>▼ less in B</span>
      <span class="legend-ramp" aria-hidden="true">
        {diffColours(view.palette, theme.scheme.value).map((colour) => (
          <span key={colour} style={{ background: colour }} />
        ))}
      </span>
      <span>▲ more in B</span>
      <span class="spacer-flex" />
      <button
        type="button"
        class="button button-quiet"
        aria-pressed={view.palette === "blue-orange"}
        title="Blue and orange can be told apart with every kind of colour blindness"
        onClick={() => go({ palette: OTHER_PALETTE[view.palette] })}
      >
        Colour-blind palette
      </button>
    </div>
  );
}
