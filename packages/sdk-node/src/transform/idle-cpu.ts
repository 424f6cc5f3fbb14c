import type { TimeNode, TimeNodeContext } from "../profilers/native.ts";

/** Whose CPU time a window's idle ticks really counted; see {@link claimIdleCpu}. */
export interface IdleCpuClaim {
  /** CPU nanoseconds of one tick of `node`: what it counted itself, and its share of what idle ticks counted. */
  cpuOf(node: TimeNode, tick: TimeNodeContext): number;
  /** What no tick can claim: CPU nanoseconds of a window in which the thread was never seen at work. */
  readonly unclaimedNanos: number;
}

// Where half of a node's ticks counted less than this much of an interval, the thread was blocked there
// (Atomics.wait, execSync: 16 to 30 µs of 10 ms were seen; only the first tick of a wait counts what ran before it).
// Such a node claims the less, the less its ticks counted.
const BUSY_RATIO = 0.03;

// What a tick may count in all, in intervals. One is what it stands for; chance makes a few ticks stand for more.
const MAX_INTERVALS_PER_TICK = 3;

/**
 * Gives the CPU time that idle ticks counted to the ticks that found the thread at work.
 *
 * A tick counts the CPU time since the tick before. A handler that runs 3 ms is seen by one tick of three at 100 Hz:
 * the tick that sees it counts the part until then, and its rest, like all of the handlers that no tick saw, is
 * counted by ticks that find the thread idle again. In a program that is busy a tenth of the time that is four fifths
 * of all CPU time, counted where no function is known.
 *
 * A tick at work stands for one interval of work, as every sample of a sampling profiler does. So idle CPU time goes
 * to the busy ticks in proportion to what each lacks of an interval: functions that run on lack nothing and get
 * nothing, short ones get what was theirs in the mean. The sum over the window stays what the CPU clock counted.
 *
 * @param idle - V8's node of idle ticks, if the window has one.
 * @param busy - the nodes of all other ticks, with their subtrees.
 */
export function claimIdleCpu(
  idle: TimeNode | undefined,
  busy: readonly TimeNode[],
  intervalNanos: number,
): IdleCpuClaim {
  let idleNanos = 0;
  for (const { cpuTime } of idle?.contexts ?? []) idleNanos += cpuTime ?? 0;
  let claims = 0;
  let claimants = 0;
  const weights = new Map<TimeNode, number>();
  const claimOf = (node: TimeNode, { cpuTime = 0 }: TimeNodeContext) =>
    Math.max(0, intervalNanos - cpuTime) * (weights.get(node) ?? 0);
  for (const node of nodesOf(busy)) {
    weights.set(node, Math.min(1, medianCpu(node) / (BUSY_RATIO * intervalNanos)) ** 2);
    for (const tick of node.contexts ?? []) {
      const claim = claimOf(node, tick);
      claims += claim;
      if (claim > 0) claimants++;
    }
  }
  const most = claimants * MAX_INTERVALS_PER_TICK * intervalNanos;
  const claimed = Math.min(idleNanos, most);
  const ratio = claims === 0 ? 0 : claimed / claims;
  return {
    cpuOf: (node, tick) => (tick.cpuTime ?? 0) + claimOf(node, tick) * ratio,
    unclaimedNanos: claims === 0 ? idleNanos : idleNanos - claimed,
  };
}

/** Nanoseconds that half of the ticks of `node` did not pass; the upper of the two in the middle. */
function medianCpu({ contexts = [] }: TimeNode): number {
  const counted = contexts.map(({ cpuTime }) => cpuTime ?? 0).sort((a, b) => a - b);
  return counted[Math.floor(counted.length / 2)] ?? 0;
}

function* nodesOf(roots: readonly TimeNode[]): Generator<TimeNode> {
  const open = [...roots];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    for (const child of node.children) open.push(child);
  }
}
