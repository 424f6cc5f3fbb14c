import type { Profiler as CpuProfiler } from "node:inspector";
import type { TimeNode, TimeNodeContext, TimeTree } from "../profilers/native.ts";

/** A profile as the inspector gives it: nodes that name their children by id, the root first. */
export type CpuProfile = CpuProfiler.Profile;

const IDLE = "(idle)";

interface MutableNode extends TimeNode {
  readonly children: TimeNode[];
}

/**
 * An inspector's profile in the form of the native profiler's.
 *
 * A tick there has no CPU time of its own. The window's CPU time is shared out evenly among the ticks that found the
 * thread at work, one interval at most to each; what is left was spent by other threads.
 *
 * @param cpuNanos - CPU time of the window; undefined where it is not known.
 */
export function cpuProfileToTree(
  { nodes, startTime, endTime }: CpuProfile,
  intervalMicros: number,
  cpuNanos: number | undefined,
): TimeTree {
  const busyTicks = nodes.reduce((sum, node) => sum + (isIdle(node) ? 0 : (node.hitCount ?? 0)), 0);
  const share = busyTicks === 0 ? 0 : (cpuNanos ?? 0) / busyTicks;
  const tick: TimeNodeContext = { cpuTime: Math.min(share, intervalMicros * 1000) };
  return {
    topDownRoot: link(nodes, cpuNanos === undefined ? undefined : tick),
    startTime,
    endTime,
    hasCpuTime: cpuNanos !== undefined,
    nonJSThreadsCpuTime: Math.max(0, (cpuNanos ?? 0) - busyTicks * (tick.cpuTime ?? 0)),
  };
}

/** The tree of a list of nodes; those at work have `tick` as often as they were seen. */
function link(nodes: readonly CpuProfiler.ProfileNode[], tick: TimeNodeContext | undefined): TimeNode {
  const converted = new Map<number, MutableNode>();
  for (const node of nodes) converted.set(node.id, convertNode(node, isIdle(node) ? undefined : tick));
  for (const { id, children = [] } of nodes) {
    const linked = children.map((childId) => converted.get(childId)).filter((child) => child !== undefined);
    converted.get(id)?.children.push(...linked);
  }
  return converted.get(nodes[0]?.id ?? 0) ?? EMPTY_ROOT;
}

const EMPTY_ROOT: TimeNode = {
  name: "(root)",
  scriptName: "",
  scriptId: 0,
  lineNumber: 0,
  columnNumber: 0,
  hitCount: 0,
  children: [],
};

function isIdle({ callFrame }: CpuProfiler.ProfileNode): boolean {
  return callFrame.url === "" && callFrame.functionName === IDLE;
}

function convertNode(
  { callFrame, hitCount = 0 }: CpuProfiler.ProfileNode,
  tick: TimeNodeContext | undefined,
): MutableNode {
  return {
    name: callFrame.functionName,
    scriptName: callFrame.url,
    scriptId: Number(callFrame.scriptId),
    // The inspector counts from 0 and says -1 for what it does not know.
    lineNumber: callFrame.lineNumber + 1,
    columnNumber: callFrame.columnNumber + 1,
    hitCount,
    ...(tick === undefined ? {} : { contexts: new Array<TimeNodeContext>(hitCount).fill(tick) }),
    children: [],
  };
}
