import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { LineNode } from "../profilers/line-sampler.ts";
import type { TimeNode, TimeTree } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { SourceLookup } from "../source-maps/script-position.ts";
import type { CallTreeOptions, NodeValue } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";
import type { IdleCpuClaim } from "./idle-cpu.ts";
import { claimIdleCpu } from "./idle-cpu.ts";
import { matchLines } from "./match-lines.ts";
import {
  addBusy,
  findBusy,
  findIdle,
  meanIntervalNanos,
  OTHER_THREADS_PATH,
  PROGRAM_PATH,
  sumDurations,
} from "./time-tree.ts";

/** A piece of a window: what the native profiler recorded between two readings. */
export interface TimePiece {
  readonly tree: TimeTree;
  /** The labels of a tick, from its context and its microseconds since the epoch. */
  readonly labelsOf: (context: object | undefined, timestamp: bigint | undefined) => SampleLabels | undefined;
}

/** What a window of the wall profiler is converted with. */
export interface TimeTreeOptions {
  readonly types: readonly ("cpu" | "wall")[];
  /** The interval that was asked for: the `period` of the profiles. */
  readonly intervalMicros: number;
  readonly startUnixNanos: bigint;
  /** Which lines ran in the same window, root first; without it every sample stands at its function's first line. */
  readonly lineNodes?: readonly LineNode[] | undefined;
  readonly sources?: SourceLookup | undefined;
}

/**
 * The CPU and wall profiles of one window, from its pieces.
 *
 * Wall is time on the event-loop thread: ticks times the real mean interval, without those that found the
 * thread idle. CPU is what the thread's CPU clock counted from tick to tick, plus that of all other threads as
 * one frame. Time in no JavaScript function is kept: `Node.js` > `Garbage Collection`, `(program)` (native code
 * of the runtime) and `Non JS threads activity`. The CPU time that idle ticks counted was spent before them, by code
 * that other ticks found at work: {@link claimIdleCpu} gives it to those.
 */
export function* convertTimeTree(
  pieces: readonly TimePiece[],
  options: TimeTreeOptions,
): Generator<void, readonly TypedProfile[]> {
  const profiles: TypedProfile[] = [];
  const files = new Map<string, string>();
  const matched: MatchedPiece[] = [];
  const { lineNodes = [], sources } = options;
  for (const piece of pieces) {
    // Each walk over what the native profiler gives takes some microseconds for each node.
    const linesOf = lineNodes.length === 0 ? undefined : yield* matchLines(piece.tree.topDownRoot, lineNodes);
    const intervalNanos = meanIntervalNanos(piece.tree, options.intervalMicros);
    matched.push({ ...piece, intervalNanos, frames: { files, linesOf, sources } });
    yield;
  }
  for (const type of options.types) {
    const profile = yield* convertType(matched, type, options);
    if (profile !== undefined) profiles.push(profile);
    yield;
  }
  return profiles;
}

interface MatchedPiece extends TimePiece {
  /** Between two ticks as they really came. */
  readonly intervalNanos: number;
  readonly frames: CallTreeOptions<TimeNode>;
}

function* convertType(
  pieces: readonly MatchedPiece[],
  type: "cpu" | "wall",
  options: TimeTreeOptions,
): Generator<void, TypedProfile | undefined> {
  const valueType = { type, unit: "nanoseconds" };
  const builder = new ProfileBuilder({
    sampleTypes: [valueType],
    defaultSampleType: type,
    periodType: valueType,
    period: BigInt(options.intervalMicros) * 1000n,
    timeUnixNanos: options.startUnixNanos,
    durationNanos: sumDurations(pieces.map(({ tree }) => tree)),
  });
  for (const piece of pieces) yield* addPiece(builder, piece, type);
  yield;
  const profile = builder.build();
  const name = type === "cpu" ? "process_cpu" : "wall";
  return profile.samples.length === 0 ? undefined : { type, name, profile };
}

function* addPiece(
  builder: ProfileBuilder,
  { tree, labelsOf, intervalNanos, frames }: MatchedPiece,
  type: "cpu" | "wall",
): Generator<void, void> {
  const writer = new CallTreeWriter<TimeNode>(builder, frames);
  if (type === "wall") {
    yield* addBusy(writer, tree, wallValues(labelsOf, intervalNanos));
    return;
  }
  const claim = claimIdleCpu(findIdle(tree), findBusy(tree), intervalNanos);
  yield;
  yield* addBusy(writer, tree, cpuValues(labelsOf, claim));
  writer.addSample(PROGRAM_PATH, undefined, claim.unclaimedNanos);
  writer.addSample(OTHER_THREADS_PATH, undefined, tree.nonJSThreadsCpuTime ?? 0);
}

type LabelsOf = TimePiece["labelsOf"];

function cpuValues(labelsOf: LabelsOf, claim: IdleCpuClaim): (node: TimeNode) => Iterable<NodeValue> {
  return function* values(node) {
    for (const tick of node.contexts ?? [])
      yield { labels: labelsOf(tick.context, tick.timestamp), value: claim.cpuOf(node, tick) };
  };
}

function wallValues(labelsOf: LabelsOf, intervalNanos: number): (node: TimeNode) => Iterable<NodeValue> {
  return function* values(node) {
    const contexts = node.contexts ?? [];
    // A tick without a context has no label; a context without a tick was a CPU reading only.
    const labelled = Math.min(node.hitCount, contexts.length);
    for (const { context, timestamp } of contexts.slice(0, labelled))
      yield { labels: labelsOf(context, timestamp), value: intervalNanos };
    if (node.hitCount > labelled)
      yield { labels: undefined, value: (node.hitCount - labelled) * intervalNanos };
  };
}
