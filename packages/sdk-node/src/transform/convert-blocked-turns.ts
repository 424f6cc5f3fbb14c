import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { TimeNode, TimeNodeContext, TimeTree } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { BlockedTurn } from "../profilers/turn-probe.ts";
import type { NodeValue } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";
import type { TimePiece, TimeTreeOptions } from "./convert-time-tree.ts";
import { addBusy, findBusy, meanIntervalNanos, sumDurations } from "./time-tree.ts";

/** What blocked turns are converted with. */
export interface BlockedTurnsOptions extends TimeTreeOptions {
  /** Of all pieces, in order. */
  readonly turns: readonly BlockedTurn[];
  /** What the system clock is ahead of the monotonic one. */
  readonly unixOffsetMs: number;
}

/** What one node was seen doing in one turn. */
interface Sighting {
  readonly node: TimeNode;
  readonly labels: SampleLabels | undefined;
  count: number;
}

/**
 * Where the event loop was blocked: the ticks of the wall profile that fell into blocked turns.
 *
 * `delay` is their time; its sum is the time that the loop was blocked, as far as the thread was at work. `contentions` has
 * one for each turn, at the stack that was seen most in it. A turn without a tick (a process that was suspended) is
 * neither.
 */
export function* convertBlockedTurns(
  pieces: readonly TimePiece[],
  options: BlockedTurnsOptions,
): Generator<void, readonly TypedProfile[]> {
  if (options.turns.length === 0) return [];
  const turnOf = createTurnFinder(options);
  const contentions = yield* convertType(pieces, options, "contentions", ({ tree, labelsOf }) => {
    const blamed = blameTurns(tree, turnOf, labelsOf);
    return (node) => (blamed.get(node) ?? []).map((labels) => ({ labels, value: 1 }));
  });
  const delay = yield* convertType(pieces, options, "delay", ({ tree, labelsOf }) => {
    const intervalNanos = meanIntervalNanos(tree, options.intervalMicros);
    return function* valuesOf(node) {
      for (const tick of node.contexts ?? []) {
        if (turnOf(tick) === undefined) continue;
        yield { labels: labelsOf(tick.context, tick.timestamp), value: intervalNanos };
      }
    };
  });
  return [contentions, delay].filter(({ profile }) => profile.samples.length > 0);
}

function* convertType(
  pieces: readonly TimePiece[],
  { startUnixNanos, sources }: BlockedTurnsOptions,
  type: "contentions" | "delay",
  // The ticks of one turn are in one piece: pieces end between turns.
  valuesIn: (piece: TimePiece) => (node: TimeNode) => Iterable<NodeValue>,
): Generator<void, TypedProfile> {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type, unit: type === "delay" ? "nanoseconds" : "count" }],
    defaultSampleType: type,
    periodType: { type: "contentions", unit: "count" },
    period: 1n,
    timeUnixNanos: startUnixNanos,
    durationNanos: sumDurations(pieces.map(({ tree }) => tree)),
  });
  const files = new Map<string, string>();
  for (const piece of pieces) {
    const writer = new CallTreeWriter<TimeNode>(builder, { files, sources });
    yield* addBusy(writer, piece.tree, valuesIn(piece));
  }
  return { type: "block", name: "block", profile: builder.build() };
}

type TurnOf = (tick: TimeNodeContext) => BlockedTurn | undefined;

function createTurnFinder({ turns, unixOffsetMs }: BlockedTurnsOptions): TurnOf {
  return ({ timestamp }) => {
    if (timestamp === undefined) return undefined;
    const ms = Number(timestamp) / 1000 - unixOffsetMs;
    let low = 0;
    let high = turns.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((turns[middle]?.endMs ?? 0) < ms) low = middle + 1;
      else high = middle;
    }
    const turn = turns[low];
    return turn !== undefined && turn.startMs <= ms ? turn : undefined;
  };
}

/** By node the label sets of the turns in which it was seen most. */
function blameTurns(
  tree: TimeTree,
  turnOf: TurnOf,
  labelsOf: TimePiece["labelsOf"],
): ReadonlyMap<TimeNode, readonly (SampleLabels | undefined)[]> {
  const worst = new Map<BlockedTurn, Sighting>();
  const open = [...findBusy(tree)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const [turn, sighting] of sightingsOf(node, turnOf, labelsOf)) {
      if (sighting.count > (worst.get(turn)?.count ?? 0)) worst.set(turn, sighting);
    }
    for (const child of node.children) open.push(child);
  }
  const blamed = new Map<TimeNode, (SampleLabels | undefined)[]>();
  for (const { node, labels } of worst.values()) {
    const turns = blamed.get(node) ?? [];
    turns.push(labels);
    blamed.set(node, turns);
  }
  return blamed;
}

function sightingsOf(
  node: TimeNode,
  turnOf: TurnOf,
  labelsOf: TimePiece["labelsOf"],
): ReadonlyMap<BlockedTurn, Sighting> {
  const sightings = new Map<BlockedTurn, Sighting>();
  for (const tick of node.contexts ?? []) {
    const turn = turnOf(tick);
    if (turn === undefined) continue;
    const sighting = sightings.get(turn);
    if (sighting !== undefined) sighting.count++;
    else sightings.set(turn, { node, labels: labelsOf(tick.context, tick.timestamp), count: 1 });
  }
  return sightings;
}
