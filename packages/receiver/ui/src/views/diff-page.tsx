import type { DiffTree } from "@pyroscope-ts/protocol";
import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Answer } from "../api/receiver-client.ts";
import type { ProfileQuery } from "../api/wire.ts";
import { chooseRateUnit } from "../format/profile-type.ts";
import type { SideFacts } from "../layout/change-ranking.ts";
import {
  BASELINE_PRESETS,
  chooseHalves,
  type DiffSide,
  type DiffSides,
  type Halves,
  hasOpenSides,
  OPEN_SIDES,
  resolveSides,
  type SideName,
  toSideRange,
  withBaseline,
} from "../state/diff-sides.ts";
import { latest } from "../state/resource.ts";
import { toTimeRange } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";
import { DiffSideCard } from "./diff-side-card.tsx";
import { DiffTimeline } from "./diff-timeline.tsx";
import { DiffView } from "./diff-view.tsx";
import { EmptyState } from "./empty-state.tsx";
import { LabelFilterBar } from "./label-filter-bar.tsx";
import { RangeProblem } from "./range-problem.tsx";
import { AnswerNotice, Busy, Failure } from "./state-notice.tsx";
import { useMeanRatio } from "./use-mean-ratio.ts";
import { type ResourceView, useResource } from "./use-resource.ts";
import { useTimeline } from "./use-timeline.ts";
import { MAX_NODE_COUNT } from "./use-tree.ts";

/** Two ranges or two queries, and what changed from one to the other. */
export function DiffPage(): VNode {
  const { clock } = useApp();
  const [view] = useView();
  const open = useOpenHalves();
  const sides = resolveSides(view, clock.nowMs.value, open.halves);
  if (sides === undefined) {
    return <RangeProblem />;
  }
  if (view.type === "") return <EmptyState what="profiles" />;
  return (
    <>
      <LabelFilterBar />
      {open.isKnown ? (
        <Comparison sides={sides} />
      ) : (
        <Busy isBusy={true} label="Looking where the profiles are">
          <div class="flame-blank" />
        </Busy>
      )}
    </>
  );
}

interface OpenHalves {
  /** Undefined where the view names its ranges or its sides have different queries. */
  readonly halves: Halves | undefined;
  readonly isKnown: boolean;
}

/** What the link left open, decided by where the data is. */
function useOpenHalves(): OpenHalves {
  const { range } = useApp();
  const [view] = useView();
  const page = range.value;
  const isOpen = hasOpenSides(view) && view.leftQuery === view.rightQuery && view.type !== "";
  const selector = view.leftQuery || view.query || "{}";
  const query = isOpen && page !== undefined ? { type: view.type, selector, ...page } : undefined;
  const timeline = useTimeline(query, "");
  const shown = latest(timeline.state);
  if (query === undefined) return { halves: undefined, isKnown: true };
  if (shown === undefined) return { halves: undefined, isKnown: timeline.state.kind === "failed" };
  return { halves: chooseHalves(query, shown.grid, shown.series), isKnown: true };
}

function useDiff(left: ProfileQuery, right: ProfileQuery): ResourceView<Answer<DiffTree>> {
  const { client } = useApp();
  const [view] = useView();
  const options = { maxNodes: MAX_NODE_COUNT, lines: view.lines };
  return useResource(JSON.stringify([left, right, options]), (signal) =>
    client.fetchDiff(left, right, options, signal),
  );
}

function Comparison({ sides }: { sides: DiffSides }): VNode {
  const [view, go] = useView();
  const [active, setActive] = useState<SideName>("right");
  const toQuery = (side: DiffSide): ProfileQuery => ({
    type: view.type,
    selector: side.query,
    fromMs: Math.round(side.resolved.fromMs),
    untilMs: Math.round(side.resolved.untilMs),
  });
  const left = toQuery(sides.left);
  const right = toQuery(sides.right);
  const answer = useDiff(left, right);
  const shown = latest(answer.state);
  const facts = {
    left: useSideFacts(left, shown?.value.leftTotal[0] ?? 0),
    right: useSideFacts(right, shown?.value.rightTotal[0] ?? 0),
  };
  const hasNone = (totals: ArrayLike<number> | undefined): boolean => (totals?.[0] ?? 0) === 0;
  const isLeftEmpty = shown !== undefined && hasNone(shown.value.leftTotal);
  const isRightEmpty = shown !== undefined && hasNone(shown.value.rightTotal);
  const isEmpty = isLeftEmpty && isRightEmpty;
  return (
    <>
      <section class="panel" aria-label="What is compared">
        <div class="sides">
          {(["left", "right"] as const).map((side) => (
            <DiffSideCard
              key={side}
              side={side}
              value={sides[side]}
              total={facts[side].text}
              isActive={active === side}
              onActivate={() => setActive(side)}
            />
          ))}
        </div>
        <BaselinePresets sides={sides} />
        <DiffTimeline
          type={view.type}
          sides={sides}
          active={active}
          main={answer}
          onChange={(side, range) => {
            setActive(side);
            go({ ...pinOther(sides, side), ...toSideRange(side, toTimeRange(range)) });
          }}
        />
      </section>
      <section class="panel panel-main" aria-label="What changed">
        <Failure doing="Comparing" resource={answer} />
        <AnswerNotice notices={shown?.notices} />
        <Busy isBusy={answer.state.kind === "loading"} label="Comparing">
          {isEmpty && <EmptyState what="profiles to compare" />}
          {isLeftEmpty !== isRightEmpty && (
            <p class="notice" role="status">
              {isLeftEmpty ? "A" : "B"} has no profiles: drag its band.
            </p>
          )}
          {shown !== undefined && !isEmpty && <DiffView diff={shown.value} type={view.type} facts={facts} />}
        </Busy>
      </section>
    </>
  );
}

/** A brushed side stops following the page, and so must the other: else both would jump to other defaults. */
function pinOther(sides: DiffSides, brushed: SideName): ReturnType<typeof toSideRange> {
  const other = brushed === "left" ? "right" : "left";
  return toSideRange(other, sides[other].range);
}

/** {@link SideFacts} and the side's amount, as a rate where that makes sense. */
export interface ShownSideFacts extends SideFacts {
  readonly amount: number;
  readonly text: string;
}

function useSideFacts(query: ProfileQuery, sum: number): ShownSideFacts {
  const { ratio } = useMeanRatio(query, sum);
  const unit = useMemo(() => chooseRateUnit(query.type), [query.type]);
  const seconds = (query.untilMs - query.fromMs) / 1000;
  const amount = unit.toPoint(sum * ratio, seconds);
  return { seconds, meanRatio: ratio, amount, text: unit.format(amount) };
}

function BaselinePresets({ sides }: { sides: DiffSides }): VNode {
  const { clock } = useApp();
  const [view, go] = useView();
  const nowMs = clock.nowMs.value;
  return (
    <div class="panel-bar presets">
      <span class="hint">Baseline:</span>
      <button
        type="button"
        class="button"
        title="The first half of the page's range against the second, or of the part that has profiles"
        onClick={() => go(OPEN_SIDES)}
      >
        Halves
      </button>
      {BASELINE_PRESETS.map(({ label, title, offsetMs }) => (
        <button
          type="button"
          class="button"
          key={label}
          title={title}
          onClick={() => go(withBaseline(view, offsetMs, nowMs))}
        >
          {label}
        </button>
      ))}
      <button
        type="button"
        class="button"
        title="B becomes A, and A becomes B"
        onClick={() =>
          go({
            leftQuery: view.rightQuery,
            rightQuery: view.leftQuery,
            ...toSideRange("left", sides.right.range),
            ...toSideRange("right", sides.left.range),
          })
        }
      >
        ⇄ Swap
      </button>
      <span class="spacer-flex" />
      <span class="hint">Drag the bands or their ends, or drag over the timeline to set the side in use</span>
    </div>
  );
}
