import type { Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import type { CallAccounts, CallTotals } from "../labels/call-accounts.ts";
import type { LabelContext } from "../labels/label-context.ts";
import type { LabelSet, LabelSets } from "../labels/label-set.ts";
import { type SampleContext, takeContext } from "../labels/sample-context.ts";
import { SampleLabelReader } from "../labels/sample-labels.ts";
import { convertWaits, labelSetKey, sumWallByLabels } from "../transform/convert-waits.ts";
import { collectPositions } from "../transform/script-positions.ts";
import { WaitTree } from "../transform/wait-tree.ts";
import type { HookFunction, NotedStack } from "./call-sites.ts";
import { noteStack, readCallSites } from "./call-sites.ts";
import { EventSampler } from "./event-sampler.ts";
import type { Profiler, Recording, TypedProfile } from "./profiler.ts";
import { RequestChannels } from "./request-channels.ts";
import { canLeavePromisesAlone, WaitHook } from "./wait-hook.ts";
import type { WaitKind } from "./wait-kind.ts";

/** What a wait profiler needs. */
export interface WaitProfilerOptions {
  /** How labels reach what runs now. */
  readonly labels: () => LabelContext;
  readonly labelSets: LabelSets;
  readonly calls: CallAccounts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly diagnostics: Diagnostics;
}

interface Wait {
  readonly kind: WaitKind;
  readonly weight: number;
  readonly startMs: number;
  readonly noted: NotedStack;
  readonly context: SampleContext | undefined;
}

// Of each kind. Noting and reading a stack takes 20 to 130 µs: half a percent of a core, in a program that waits for
// one kind of thing all the time.
const MAX_WAITS_PER_SECOND = 50;

/**
 * Where the program waits: for timers, files, names, crypto, child processes and HTTP, by the functions that await.
 *
 * A wait counts, whole, in the window in which it ends; one that is called off does not count. What `tagWrapper`
 * calls spend neither on the event-loop thread nor in such a wait is `unattributed`: an answer on a socket that was
 * open before, a lock, a queue.
 *
 * The hook that hears of all but HTTP costs nothing at an await where Node can leave promises alone. Where it cannot, it
 * waits until labels follow promises anyway; until then only HTTP is seen.
 */
export class WaitProfiler implements Profiler {
  readonly types = ["wait"] as const;
  readonly #options: WaitProfilerOptions;
  // Of each kind its own: many short reads of files must not make the few sleeps coarse.
  readonly #samplers = new Map<WaitKind, EventSampler>();
  readonly #hook: WaitHook<Wait>;
  readonly #channels: RequestChannels<Wait>;
  readonly #balances = new Map<LabelSet, number>();
  #canHook = false;
  #isRunning = false;
  #tree = new WaitTree();
  #windowStartUnixMs = 0;
  #windowStartMs = 0;

  constructor(options: WaitProfilerOptions) {
    this.#options = options;
    const listener = {
      begin: (kind: WaitKind, hook: HookFunction) => this.#begin(kind, hook),
      end: (wait: Wait) => this.#end(wait),
    };
    this.#hook = new WaitHook(listener);
    this.#channels = new RequestChannels(listener);
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#canHook = canLeavePromisesAlone();
    if (this.#canHook) this.#hook.enable();
    this.#channels.enable();
    this.#beginWindow();
  }

  /** Labels are set: from now on promises are followed in any case. */
  noteLabels(): void {
    if (this.#isRunning && !this.#canHook) {
      this.#canHook = true;
      this.#hook.enable();
    }
  }

  collect(): Recording {
    const { clock, calls, labelSets } = this.#options;
    const tree = this.#tree;
    const totals = calls.take(clock.nowMonotonicMs());
    const startUnixNanos = BigInt(Math.round(this.#windowStartUnixMs)) * 1_000_000n;
    const passedMs = clock.nowMonotonicMs() - this.#windowStartMs;
    const durationNanos = BigInt(Math.round(passedMs * 1000)) * 1000n;
    this.#beginWindow();
    this.#hook.sweep();
    const reader = new SampleLabelReader(labelSets, clock);
    const balances = this.#balances;
    return {
      startUnixNanos,
      durationNanos,
      positions: () => collectPositions(tree.root),
      *convert(sources, window = []) {
        const onLoop = readOnLoop(window, totals);
        return yield* convertWaits(tree.root, {
          startUnixNanos,
          durationNanos,
          labelsOf: (context) => reader.read(context, undefined),
          calls: totals,
          onLoop,
          unattributed: settle(balances, totals, onLoop, tree.waitedByLabels),
          sources,
        });
      },
    };
  }

  stop(): Recording | undefined {
    if (!this.#isRunning) return undefined;
    this.#disable();
    return this.collect();
  }

  #beginWindow(): void {
    const { clock } = this.#options;
    this.#tree = new WaitTree();
    this.#windowStartUnixMs = clock.nowUnixMs();
    this.#windowStartMs = clock.nowMonotonicMs();
  }

  #disable(): void {
    this.#isRunning = false;
    this.#hook.disable();
    this.#channels.disable();
  }

  #begin(kind: WaitKind, hook: HookFunction): Wait | undefined {
    const weight = this.#samplerOf(kind).pick();
    if (weight === undefined) return undefined;
    try {
      const { clock, labels } = this.#options;
      const startMs = clock.nowMonotonicMs();
      return { kind, weight, startMs, noted: noteStack(hook), context: takeContext(labels().current()) };
    } catch (error) {
      return this.#giveUp(error);
    }
  }

  #samplerOf(kind: WaitKind): EventSampler {
    const known = this.#samplers.get(kind);
    if (known !== undefined) return known;
    const { clock, random } = this.#options;
    const sampler = new EventSampler({ maxPerSecond: MAX_WAITS_PER_SECOND, clock, random });
    this.#samplers.set(kind, sampler);
    return sampler;
  }

  #end({ kind, weight, startMs, noted, context }: Wait): void {
    try {
      const waitedMs = this.#options.clock.nowMonotonicMs() - startMs;
      this.#tree.add(kind, readCallSites(noted), context, waitedMs * weight);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** A program with a frozen `Error` has no stacks for us. Node ends a process whose hook throws. */
  #giveUp(error: unknown): undefined {
    this.#disable();
    this.#options.diagnostics.warnOnce("waits", `waits are not profiled any more: ${describeError(error)}`);
  }
}

/** Milliseconds on the event-loop thread by label set, from the wall profile of the same window. */
function readOnLoop(
  window: readonly TypedProfile[],
  totals: readonly CallTotals[],
): ReadonlyMap<LabelSet, number> {
  const wall = window.find(({ type }) => type === "wall");
  if (wall === undefined) return new Map();
  const sums = sumWallByLabels(wall.profile);
  return new Map(totals.map(({ labels }) => [labels, sums.get(labelSetKey(labels.labels)) ?? 0]));
}

/**
 * What no wait and no work accounts for, by label set. Calls count when they end, their waits and work before: what a
 * window has too much of those is kept for the calls that are open, and is never more than their time.
 */
function settle(
  balances: Map<LabelSet, number>,
  totals: readonly CallTotals[],
  onLoop: ReadonlyMap<LabelSet, number>,
  waited: ReadonlyMap<LabelSet, number>,
): ReadonlyMap<LabelSet, number> {
  const unattributed = new Map<LabelSet, number>();
  const before = new Map(balances);
  balances.clear();
  for (const { labels, elapsedMs, openMs } of totals) {
    const accounted = (onLoop.get(labels) ?? 0) + (waited.get(labels) ?? 0);
    const balance = (before.get(labels) ?? 0) + elapsedMs - accounted;
    if (balance > 0) unattributed.set(labels, balance);
    else if (openMs > 0) balances.set(labels, Math.max(balance, -openMs));
  }
  return unattributed;
}
