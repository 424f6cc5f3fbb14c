import type { TimeNode, TimeTree } from "../profilers/native.ts";
import type { CallTreeNode, CallTreeWriter, NodeValue } from "./call-tree.ts";

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

/** The path of samples in no function: native code of the runtime. */
export const PROGRAM_PATH: readonly CallTreeNode<unknown>[] = [NODE_JS, runtimeFrame(PROGRAM)];

/** The path of what threads without JavaScript did. */
export const OTHER_THREADS_PATH: readonly CallTreeNode<unknown>[] = [
  NODE_JS,
  runtimeFrame("Non JS threads activity"),
];

/** Collections of one sort. */
export function collectionPath(sort: string): readonly CallTreeNode<unknown>[] {
  return [...GARBAGE_COLLECTION_PATH, runtimeFrame(sort)];
}

/** V8's node of the ticks that found the thread idle. */
export function findIdle({ topDownRoot }: TimeTree): TimeNode | undefined {
  return topDownRoot.children.find(isIdle);
}

/** Every tree of ticks that found the thread at work. */
export function findBusy({ topDownRoot }: TimeTree): readonly TimeNode[] {
  return topDownRoot.children.filter((node) => !isIdle(node));
}

/** Adds all that was not idle, with the runtime's own states under `Node.js`. */
export function* addBusy(
  writer: CallTreeWriter<TimeNode>,
  tree: TimeTree,
  valuesOf: (node: TimeNode) => Iterable<NodeValue>,
): Generator<void, void> {
  const busy = findBusy(tree);
  const functions = busy.filter((node) => !isRuntimeState(node));
  yield* writer.add({ ...tree.topDownRoot, children: functions }, valuesOf);
  for (const node of busy.filter(isRuntimeState)) addRuntimeState(writer, node, valuesOf);
}

/** The length of the window. */
export function durationNanos(tree: TimeTree): bigint {
  return BigInt(Math.max(0, Math.round(tree.endTime - tree.startTime))) * 1000n;
}

/** The length of a window that was read in pieces. */
export function sumDurations(trees: readonly TimeTree[]): bigint {
  return trees.reduce((sum, tree) => sum + durationNanos(tree), 0n);
}

/**
 * Nanoseconds between two ticks as they really came: the timer of the sampling thread is late by 0.4 to 1.3 ms
 * at 10 ms. Bounded below by what was asked for and above by twice that, because one tick in a window that is
 * just beginning says nothing about the interval.
 */
export function meanIntervalNanos(tree: TimeTree, intervalMicros: number): number {
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

function isIdle(node: TimeNode): boolean {
  return node.scriptName === "" && node.name === IDLE;
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
