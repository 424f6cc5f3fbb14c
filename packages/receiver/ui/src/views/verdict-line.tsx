import type { VNode } from "preact";
import { type ChangeFormat, chooseArrow, formatFactor } from "../format/format-change.ts";
import { formatShare } from "../format/format-value.ts";
import type { Verdict } from "../layout/change-ranking.ts";

interface VerdictLineProps {
  readonly verdict: Verdict;
  readonly format: ChangeFormat;
  /** What each side amounts to, and how it is written. */
  readonly totals: {
    readonly left: number;
    readonly right: number;
    readonly format: (value: number) => string;
  };
}

/** The comparison in two sentences. */
export function VerdictLine({ verdict, format, totals }: VerdictLineProps): VNode {
  const { mover, explainingCount, explainedRatio } = verdict;
  const delta = totals.right - totals.left;
  const factor = formatFactor(totals.left, totals.right);
  // What rounds to nothing is no news.
  const isClose = factor.startsWith("±");
  return (
    <p class="verdict" role="status">
      <span>
        B {delta === 0 || isClose ? "is as high as" : delta > 0 ? "is higher than" : "is lower than"} A:{" "}
        <b>{totals.format(totals.right)}</b> against {totals.format(totals.left)}
        {delta !== 0 && !isClose && ` (${chooseArrow(delta)} ${factor})`}.
      </span>{" "}
      {mover === undefined ? (
        <span>No function changed.</span>
      ) : (
        <span>
          Largest mover: <b class="verdict-name">{mover.name}</b>{" "}
          <b class="delta-word" data-sign={mover.delta > 0 ? "slower" : "faster"}>
            {chooseArrow(mover.delta)} {format.delta(mover.delta)}
          </b>{" "}
          ({format.value(mover.left)} → {format.value(mover.right)}).{" "}
          {explainingCount === 1 ? "It makes" : `${explainingCount} functions make`} up{" "}
          {formatShare(explainedRatio)} of what {mover.delta > 0 ? "grew" : "shrank"}.
        </span>
      )}
    </p>
  );
}
