import { ProfileBuilder } from "@pyroscope-ts/protocol";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { LineNode } from "../profilers/line-sampler.ts";
import type { TimeNode, TimeTree } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { CallTreeNode, LineTicks, NodeValue } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";
import type { IdleCpuClaim } from "./idle-cpu.ts";
import { claimIdleCpu } from "./idle-cpu.ts";
import { matchLines } from "./match-lines.ts";

/** What a window of the wall profiler is converted with. */
export interface TimeTreeOptions {
  readonly types: readonly ("cpu" | "wall")[];
  /** The interval that was asked for: the `period` of the profiles. */
  readonly intervalMicros: number;
  readonly startUnixNanos: bigint;
  /** The labels of a tick, from its context and its microseconds since the epoch. */
  readonly labelsOf: (context: object | undefined, timestamp: bigint | undefined) => SampleLabels | undefined;
  /** Which lines ran in the same window, root first; without it every sample stands at its function's first line. */
  readonly lineNodes?: readonly LineNode[] | undefined;
}

/** What the profiles of one window share. */
interface Window {
  readonly files: Map<string, string>;
  readonly linesOf: (node: TimeNode) => readonly LineTicks[];
}

// V8's names of the states that are no JavaScript function; all are children of the root.
const IDLE = "(idle)";
const PROGRAM = "(program)";
const GARBAGE_COLLECTOR = "(garbage collector)";

const runtimeFrame = (name: string): CallTreeNode<never> => ({
  name,
  scriptName: "",
  lineNumber: 0,
  children: [],
});

// The runtime's own work stands under one frame, with the names that Node profiles of other SDKs have.
const NODE_JS = runtimeFrame("Node.js");
const GARBAGE_COLLECTION_PATH = [NODE_JS, runtimeFrame("Garbage Collection")];
const PROGRAM_PATH = [NODE_JS, runtimeFrame(PROGRAM)];
const OTHER_THREADS_PATH = [NODE_JS, runtimeFrame("Non JS threads activity")];

/**
 * The CPU and wall profiles of one window.
 *
 * Wall is time on the event-loop thread: ticks times the real mean interval, without those that found the
 * thread idle. CPU is what the thread's CPU clock counted from tick to tick, plus that of all other threads as
 * one frame. Time in no JavaScript function is kept: `Node.js` > `Garbage Collection`, `(program)` (native code
 * of the runtime) and `Non JS threads activity`. The CPU time that idle ticks counted was spent before them, by code
 * that other ticks found at work: {@link claimIdleCpu} gives it to those.
 */
export function* convertTimeTree(
  tree: TimeTree,
  options: TimeTreeOptions,
): Generator<void, readonly TypedProfile[]> {
  const profiles: TypedProfile[] = [];
  const linesOf = yield* matchLines(tree.topDownRoot, options.lineNodes ?? []);
  const window: Window = { files: new Map(), linesOf };
  for (const type of options.types) {
    const profile = yield* convertType(tree, type, options, window);
    if (profile !== undefined) profiles.push(profile);
    yield;
  }
  return profiles;
}

function* convertType(
  tree: TimeTree,
  type: "cpu" | "wall",
  options: TimeTreeOptions,
  { files, linesOf }: Window,
): Generator<void, TypedProfile | undefined> {
  const valueType = { type, unit: "nanoseconds" };
  const builder = new ProfileBuilder({
    sampleTypes: [valueType],
    defaultSampleType: type,
    periodType: valueType,
    period: BigInt(options.intervalMicros) * 1000n,
    timeUnixNanos: options.startUnixNanos,
    durationNanos: durationNanos(tree),
  });
  const writer = new CallTreeWriter<TimeNode>(builder, files, linesOf);
  const roots = tree.topDownRoot.children;
  const isIdle = (node: TimeNode) => node.scriptName === "" && node.name === IDLE;
  const busy = roots.filter((node) => !isIdle(node));
  const intervalNanos = meanIntervalNanos(tree, options);
  const claim = claimIdleCpu(roots.find(isIdle), busy, intervalNanos);
  const valuesOf =
    type === "cpu" ? cpuValues(options.labelsOf, claim) : wallValues(options.labelsOf, intervalNanos);
  const functions = busy.filter((node) => !isRuntimeState(node));
  yield* writer.add({ ...tree.topDownRoot, children: functions }, valuesOf);
  for (const node of busy.filter(isRuntimeState)) addRuntimeState(writer, node, valuesOf);
  if (type === "cpu") {
    writer.addSample(PROGRAM_PATH, undefined, claim.unclaimedNanos);
    writer.addSample(OTHER_THREADS_PATH, undefined, tree.nonJSThreadsCpuTime ?? 0);
  }
  const profile = builder.build();
  const name = type === "cpu" ? "process_cpu" : "wall";
  return profile.samples.length === 0 ? undefined : { type, name, profile };
}

/** The length of the window. */
export function durationNanos(tree: TimeTree): bigint {
  return BigInt(Math.max(0, Math.round(tree.endTime - tree.startTime))) * 1000n;
}

function isRuntimeState(node: TimeNode): boolean {
  return node.scriptName === "" && [PROGRAM, GARBAGE_COLLECTOR].includes(node.name);
}

function addRuntimeState(
  writer: CallTreeWriter<TimeNode>,
  node: TimeNode,
  valuesOf: (node: TimeNode) => Iterable<NodeValue>,
): void {
  for (const { labels, value } of valuesOf(node)) {
    // A collection is for the code that it interrupts; the runtime's own native code belongs to nobody.
    if (node.name === GARBAGE_COLLECTOR) writer.addSample(GARBAGE_COLLECTION_PATH, labels, value);
    else writer.addSample(PROGRAM_PATH, undefined, value);
  }
}

type LabelsOf = TimeTreeOptions["labelsOf"];

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

/**
 * Nanoseconds between two ticks as they really came: the timer of the sampling thread is late by 0.4 to 1.3 ms
 * at 10 ms. Bounded below by what was asked for and above by twice that, because one tick in a window that is
 * just beginning says nothing about the interval.
 */
function meanIntervalNanos(tree: TimeTree, { intervalMicros }: TimeTreeOptions): number {
  const ticks = countTicks(tree.topDownRoot);
  const mean = ticks === 0 ? intervalMicros : (tree.endTime - tree.startTime) / ticks;
  return Math.round(Math.min(Math.max(mean, intervalMicros), 2 * intervalMicros) * 1000);
}

function countTicks(root: TimeNode): number {
  const open = [root];
  let ticks = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    ticks += node.hitCount;
    for (const child of node.children) open.push(child);
  }
  return ticks;
}
