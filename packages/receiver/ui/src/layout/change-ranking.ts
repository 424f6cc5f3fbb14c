import { type DiffTree, OTHER_NAME } from "@pyroscope-ts/protocol";
import type { ChangeFilter, Measure, Norm } from "../state/url-state.ts";
import type { SideScale } from "./flame-graph.ts";
import { sumByFunction } from "./top-functions.ts";

/** How one function differs between the sides; values are scaled by the norm. */
export interface Change {
  /** Row of the diff's `names`. */
  readonly nameIndex: number;
  readonly name: string;
  readonly left: number;
  readonly right: number;
  /** `right - left`. */
  readonly delta: number;
  /**
   * `new` and `gone` are functions without any value on one side, called code included: one that only lost its self
   * value was inlined, not removed. Where a whole side has no samples nothing is new or gone.
   */
  readonly kind: "new" | "gone" | "grew" | "shrank" | "same";
}

/** What is known of each side besides its tree. */
export interface SideFacts {
  readonly seconds: number;
  /** What turns a sum over profiles into the value shown: 1 but for states, as the live heap, which are averaged. */
  readonly meanRatio: number;
}

/** The factors that make both sides comparable. A side without samples has the factor 0: no NaN reaches the page. */
export function chooseScale(
  diff: DiffTree,
  norm: Norm,
  facts: { readonly left: SideFacts; readonly right: SideFacts },
): SideScale {
  const inverse = (value: number): number => (value > 0 ? 1 / value : 0);
  switch (norm) {
    case "share":
      return { left: inverse(diff.leftTotal[0] ?? 0), right: inverse(diff.rightTotal[0] ?? 0) };
    case "rate":
      return { left: inverse(facts.left.seconds), right: inverse(facts.right.seconds) };
    case "absolute":
      return { left: facts.left.meanRatio, right: facts.right.meanRatio };
  }
}

function chooseKind(delta: number, isOnLeft: boolean, isOnRight: boolean): Change["kind"] {
  if (delta === 0) return "same";
  if (!isOnLeft) return "new";
  if (!isOnRight) return "gone";
  return delta > 0 ? "grew" : "shrank";
}

/**
 * Every function that changed, the largest change first, whichever its direction. Ranked by what changed in weight, not
 * in proportion: from 0.01 % to 0.02 % is no news.
 */
export function rankChanges(diff: DiffTree, scale: SideScale, measure: Measure): readonly Change[] {
  const left = sumByFunction(diff, diff.leftSelf, diff.leftTotal);
  const right = sumByFunction(diff, diff.rightSelf, diff.rightTotal);
  const isLeftEmpty = (diff.leftTotal[0] ?? 0) === 0;
  const isRightEmpty = (diff.rightTotal[0] ?? 0) === 0;
  const root = diff.length > 0 ? diff.name[0]! : -1;
  const changes: Change[] = [];
  diff.names.forEach((name, nameIndex) => {
    const before = left[measure][nameIndex]! * scale.left;
    const after = right[measure][nameIndex]! * scale.right;
    const delta = after - before;
    const isOnLeft = isLeftEmpty || left.total[nameIndex]! > 0;
    const isOnRight = isRightEmpty || right.total[nameIndex]! > 0;
    const kind = chooseKind(delta, isOnLeft, isOnRight);
    if (nameIndex === root || kind === "same") return;
    changes.push({ nameIndex, name, left: before, right: after, delta, kind });
  });
  return changes.sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta) || (a.name < b.name ? -1 : 1));
}

/** The changes that a filter keeps, in the same order. */
export function filterChanges(changes: readonly Change[], filter: ChangeFilter): readonly Change[] {
  return filter === "all" ? changes : changes.filter(({ kind }) => kind === filter);
}

// Frames that stand for no code of anybody: idle time mirrors whatever grew, "other" is what truncation removed.
const NOT_CODE: ReadonlySet<string> = new Set([OTHER_NAME, "(idle)", "(root)"]);

/** What the change table amounts to. */
export interface Verdict {
  /** The function that moved most; undefined when nothing that is code moved. */
  readonly mover: Change | undefined;
  /** How many of the largest changes in the mover's direction make up most of it. */
  readonly explainingCount: number;
  /** The part that those make up, 0 to 1. */
  readonly explainedRatio: number;
}

// "Three functions explain 81 %": enough to be a cause, few enough to be looked at.
const ENOUGH_RATIO = 0.8;
const MAX_EXPLAINING_COUNT = 5;

/** Names the largest mover and says how much of the change in its direction a handful of functions explain. */
export function judgeChanges(ranked: readonly Change[]): Verdict {
  const mover = ranked.find(({ name }) => !NOT_CODE.has(name));
  if (mover === undefined) return { mover, explainingCount: 0, explainedRatio: 0 };
  const sameWay = ranked.filter(({ delta, name }) => delta > 0 === mover.delta > 0 && !NOT_CODE.has(name));
  const whole = sameWay.reduce((sum, { delta }) => sum + Math.abs(delta), 0);
  let explained = 0;
  let explainingCount = 0;
  for (const { delta } of sameWay) {
    if (explained >= ENOUGH_RATIO * whole || explainingCount === MAX_EXPLAINING_COUNT) break;
    explained += Math.abs(delta);
    explainingCount++;
  }
  return { mover, explainingCount, explainedRatio: whole > 0 ? explained / whole : 0 };
}
