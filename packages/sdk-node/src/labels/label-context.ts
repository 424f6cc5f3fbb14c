import { AsyncLocalStorage, createHook } from "node:async_hooks";
import type { NativeTimeProfiler } from "../profilers/native.ts";
import type { LabelSet } from "./label-set.ts";

/** How labels follow asynchronous work; `none` where samples cannot carry labels. */
export type LabelMechanism = "async-context-frame" | "async-hooks" | "none";

/** Labels that follow asynchronous work and end up on the native profiler's samples. */
export interface LabelContext {
  readonly mechanism: LabelMechanism;
  /** The label set of the code that runs now, or undefined. */
  current(): LabelSet | undefined;
  /** Calls `fn` with `labels` for it and for all it starts; what ran before has its own labels back afterwards. */
  run<A extends readonly unknown[], T>(labels: LabelSet, fn: (...args: A) => T, args: A): T;
  /** Gives the rest of the current asynchronous context these labels. */
  enter(labels: LabelSet): void;
  /** The label set of a context that the native profiler recorded. */
  labelsOf(context: object | undefined): LabelSet | undefined;
  /** Tells the native profiler again, after it was started anew. */
  renew(): void;
  /** Ends the context; afterwards nothing of it may be used. */
  close(): void;
}

/** A context for where no samples are labelled: it runs what it is given. */
export const noLabelContext: LabelContext = {
  mechanism: "none",
  current: () => undefined,
  run: (_labels, fn, args) => fn(...args),
  enter: () => undefined,
  labelsOf: () => undefined,
  renew: () => undefined,
  close: () => undefined,
};

// The native profiler keeps the object it was given under this index of the holder that it makes.
interface ContextHolder {
  readonly 0: LabelSet;
}

/**
 * Labels through V8's context slot (Node 24 and later; 22 with `--experimental-async-context-frame`).
 *
 * AsyncLocalStorage keeps its store in that slot, and the native profiler reads it at every sample with
 * `storage` as the key. No hook runs at an await. The store is a native holder; one is made for each label set
 * and used again, because making one for every call is what costs.
 */
export class FrameLabelContext implements LabelContext {
  readonly mechanism = "async-context-frame";
  readonly #storage: AsyncLocalStorage<ContextHolder>;
  readonly #profiler: NativeTimeProfiler;
  readonly #holders = new Map<LabelSet, ContextHolder>();

  /** @param storage - the `CPEDKey` that `profiler` was created with. Never used with a second profiler: holders of a disposed one crash the process. */
  constructor(storage: AsyncLocalStorage<unknown>, profiler: NativeTimeProfiler) {
    // Nobody else has this storage, so its stores are the holders that #holderOf makes.
    this.#storage = storage as AsyncLocalStorage<ContextHolder>;
    this.#profiler = profiler;
  }

  current(): LabelSet | undefined {
    return this.#storage.getStore()?.[0];
  }

  run<A extends readonly unknown[], T>(labels: LabelSet, fn: (...args: A) => T, args: A): T {
    return this.#storage.run(this.#holderOf(labels), () => fn(...args));
  }

  enter(labels: LabelSet): void {
    this.#storage.enterWith(this.#holderOf(labels));
  }

  labelsOf(context: object | undefined): LabelSet | undefined {
    // Only label sets are put into holders.
    return context as LabelSet | undefined;
  }

  renew(): void {
    // The slot belongs to the running code, not to the profiler.
  }

  close(): void {
    this.#storage.disable();
    this.#holders.clear();
  }

  #holderOf(labels: LabelSet): ContextHolder {
    const known = this.#holders.get(labels);
    if (known !== undefined) return known;
    const holder = this.#profiler.createContextHolder(labels) as ContextHolder;
    this.#holders.set(labels, holder);
    return holder;
  }
}

/** What the native profiler is given in place of a label set; see {@link HookLabelContext}. */
interface MutableContext {
  labels: LabelSet;
}

/**
 * Labels through `async_hooks` (Node without async context frames).
 *
 * Before every callback the hook tells the native profiler the labels of that callback's context. The hook
 * costs 60 to 120 ns per await and following promises at all costs more on Node 20, so both start with the
 * first label that anybody sets.
 *
 * Telling the native profiler costs a call into C++. As long as no sample took the context it was told last,
 * changing that object has the same effect and costs a store; `state` counts the samples that did.
 */
export class HookLabelContext implements LabelContext {
  readonly mechanism = "async-hooks";
  readonly #storage = new AsyncLocalStorage<LabelSet>();
  readonly #hook = createHook({ before: () => this.#activate(this.#storage.getStore() ?? this.#empty) });
  readonly #profiler: NativeTimeProfiler;
  readonly #sampleCountIndex: number;
  readonly #empty: LabelSet;
  #context: MutableContext;
  #sampleCount = 0;
  #isHooked = false;

  constructor(profiler: NativeTimeProfiler, sampleCountIndex: number, empty: LabelSet) {
    this.#profiler = profiler;
    this.#sampleCountIndex = sampleCountIndex;
    this.#empty = empty;
    this.#context = { labels: empty };
    this.renew();
  }

  current(): LabelSet | undefined {
    return this.#isHooked ? this.#storage.getStore() : undefined;
  }

  run<A extends readonly unknown[], T>(labels: LabelSet, fn: (...args: A) => T, args: A): T {
    this.#enableHook();
    const before = this.#storage.getStore() ?? this.#empty;
    return this.#storage.run(labels, () => {
      this.#activate(labels);
      try {
        return fn(...args);
      } finally {
        this.#activate(before);
      }
    });
  }

  enter(labels: LabelSet): void {
    this.#enableHook();
    this.#storage.enterWith(labels);
    this.#activate(labels);
  }

  labelsOf(context: object | undefined): LabelSet | undefined {
    // Only #activate and renew give the profiler contexts.
    return (context as MutableContext | undefined)?.labels;
  }

  renew(): void {
    this.#sampleCount = this.#profiler.state[this.#sampleCountIndex] ?? 0;
    this.#context = { labels: this.#context.labels };
    this.#profiler.context = this.#context;
  }

  close(): void {
    this.#hook.disable();
    this.#storage.disable();
    this.#isHooked = false;
  }

  #activate(labels: LabelSet): void {
    const count = this.#profiler.state[this.#sampleCountIndex];
    if (count === this.#sampleCount) {
      this.#context.labels = labels;
      return;
    }
    this.#sampleCount = count ?? 0;
    this.#context = { labels };
    this.#profiler.context = this.#context;
  }

  #enableHook(): void {
    if (this.#isHooked) return;
    this.#isHooked = true;
    this.#hook.enable();
  }
}
