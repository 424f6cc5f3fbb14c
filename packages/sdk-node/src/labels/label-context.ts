import { AsyncLocalStorage, createHook } from "node:async_hooks";
import type { NativeTimeProfiler } from "../profilers/native.ts";
import type { LabelSet } from "./label-set.ts";
import type { SampleContext } from "./sample-context.ts";

/**
 * How labels follow asynchronous work: `none` where samples cannot carry labels, `storage` where only profiles made in
 * JavaScript can.
 */
export type LabelMechanism = "async-context-frame" | "async-hooks" | "storage" | "none";

/** What runs functions in asynchronous contexts with values of its own, as the context manager of a tracer does. */
export interface ContextMaker<V> {
  /** Where it keeps them, if that is known. */
  readonly storage: AsyncLocalStorage<unknown> | undefined;
  /** Calls `fn` in the context with `value`. */
  readonly run: <T>(value: V, fn: () => T) => T;
}

/** Labels that follow asynchronous work and end up on the native profiler's samples. */
export interface LabelContext {
  readonly mechanism: LabelMechanism;
  /** What the samples of the code that runs now carry, or undefined. */
  current(): SampleContext | undefined;
  /** Calls `fn` with `context` for it and for all it starts; what ran before has its own back afterwards. */
  run<A extends readonly unknown[], T>(context: SampleContext, fn: (...args: A) => T, args: A): T;
  /** Has `maker` call `fn` with `value`, and with `context` as {@link run} does. */
  runWithin<V, T>(context: SampleContext, maker: ContextMaker<V>, value: V, fn: () => T): T;
  /** Gives the rest of the current asynchronous context this one. */
  enter(context: SampleContext): void;
  /** The context of a sample, from what the native profiler recorded. */
  contextOf(recorded: object | undefined): SampleContext | undefined;
  /** Tells the native profiler again, after it was started anew. */
  renew(): void;
  /** Ends the context. What is under way may still come back to it: from then on it only runs what it is given. */
  close(): void;
}

/**
 * Labels without a native profiler, for what is profiled in JavaScript only. AsyncLocalStorage starts to follow promises
 * with the first label that anybody sets.
 */
export class StorageLabelContext implements LabelContext {
  readonly mechanism = "storage";
  readonly #storage = new AsyncLocalStorage<SampleContext>();

  current(): SampleContext | undefined {
    return this.#storage.getStore();
  }

  run<A extends readonly unknown[], T>(context: SampleContext, fn: (...args: A) => T, args: A): T {
    return this.#storage.run(context, fn, ...args);
  }

  runWithin<V, T>(context: SampleContext, maker: ContextMaker<V>, value: V, fn: () => T): T {
    return this.run(context, maker.run<T>, [value, fn]);
  }

  enter(context: SampleContext): void {
    this.#storage.enterWith(context);
  }

  contextOf(): undefined {
    return undefined;
  }

  renew(): void {
    // Nobody else is told.
  }

  close(): void {
    this.#storage.disable();
  }
}

/** A context for where no samples are labelled: it runs what it is given. */
export const noLabelContext: LabelContext = {
  mechanism: "none",
  current: () => undefined,
  run: (_context, fn, args) => fn(...args),
  runWithin: (_context, maker, value, fn) => maker.run(value, fn),
  enter: () => undefined,
  contextOf: () => undefined,
  renew: () => undefined,
  close: () => undefined,
};

// The native profiler keeps the object it was given under this index of the holder that it makes.
interface ContextHolder {
  readonly 0: SampleContext;
}

/**
 * Labels through V8's context slot (Node 24 and later; 22 with `--experimental-async-context-frame`).
 *
 * AsyncLocalStorage keeps its store in that slot, and the native profiler reads it at every sample with
 * `storage` as the key. No hook runs at an await. The store is a native holder; one is made for each label set
 * and for each span and used again, because making one for every call is what costs.
 *
 * The native profiler holds on to a context until its holder is collected, so a context must never lead to its
 * holder: neither would ever be let go. That is why a span does not keep its own.
 */
export class FrameLabelContext implements LabelContext {
  readonly mechanism = "async-context-frame";
  readonly #storage: AsyncLocalStorage<ContextHolder>;
  readonly #profiler: NativeTimeProfiler;
  readonly #holders = new Map<LabelSet, ContextHolder>();
  #isClosed = false;

  /** @param storage - the `CPEDKey` that `profiler` was created with. Never used with a second profiler: holders of a disposed one crash the process. */
  constructor(storage: AsyncLocalStorage<unknown>, profiler: NativeTimeProfiler) {
    // Nobody else has this storage, so its stores are the holders that #holderOf makes.
    this.#storage = storage as AsyncLocalStorage<ContextHolder>;
    this.#profiler = profiler;
  }

  current(): SampleContext | undefined {
    return this.#storage.getStore()?.[0];
  }

  run<A extends readonly unknown[], T>(context: SampleContext, fn: (...args: A) => T, args: A): T {
    if (this.#isClosed) return fn(...args);
    const holder = this.#holderOf(context);
    // Spreading nothing costs 20 ns.
    return args.length === 0
      ? this.#storage.run(holder, fn as () => T)
      : this.#storage.run(holder, fn, ...args);
  }

  /**
   * A span becomes active in an asynchronous context that its tracer makes. Node makes one by copying a map, which costs as much
   * as the holder, and so does going back; so the holder is put into the map that the tracer's storage got.
   */
  runWithin<V, T>(context: SampleContext, maker: ContextMaker<V>, value: V, fn: () => T): T {
    const { storage } = maker;
    if (storage === undefined) return this.run(context, maker.run<T>, [value, fn]);
    if (this.#isClosed) return maker.run(value, fn);
    const before = this.#storage.getStore();
    const outer = storage.getStore();
    // Named, so that its frame can be told from the program's and left out of stacks.
    const callWithin = (): T => {
      // With the value that was there already no map is made, and what started before would have this one.
      if (storage.getStore() === outer) return this.run(context, fn, []);
      if (!this.#isClosed) this.#profiler.context = context;
      return fn();
    };
    try {
      return maker.run(value, callWithin);
    } finally {
      this.#leave(before);
    }
  }

  /** The map is again a copy that nothing else has: Node goes back by making another. Else it has the old holder. */
  #leave(before: ContextHolder | undefined): void {
    if (this.#isClosed || this.#storage.getStore() === before) return;
    if (before === undefined) this.#profiler.context = undefined;
    else this.#storage.enterWith(before);
  }

  enter(context: SampleContext): void {
    if (this.#isClosed) return;
    this.#storage.enterWith(this.#holderOf(context));
  }

  contextOf(recorded: object | undefined): SampleContext | undefined {
    // Only sample contexts are put into holders.
    return recorded as SampleContext | undefined;
  }

  renew(): void {
    // The slot belongs to the running code, not to the profiler.
  }

  close(): void {
    this.#isClosed = true;
    this.#storage.disable();
    this.#holders.clear();
  }

  #holderOf(context: SampleContext): ContextHolder {
    if (context.ids !== undefined || context.span !== undefined) return this.#holderOfSpan(context);
    const known = this.#holders.get(context.labels);
    if (known !== undefined) return known;
    const holder = this.#createHolder(context);
    this.#holders.set(context.labels, holder);
    return holder;
  }

  /** What runs under a span mostly starts under it, too: then the holder is the one that is current. */
  #holderOfSpan(context: SampleContext): ContextHolder {
    const current = this.#storage.getStore();
    return current !== undefined && isSame(current[0], context) ? current : this.#createHolder(context);
  }

  #createHolder(context: SampleContext): ContextHolder {
    return this.#profiler.createContextHolder(context) as ContextHolder;
  }
}

function isSame(left: SampleContext, right: SampleContext): boolean {
  return left.span === right.span && left.labels === right.labels && left.ids === right.ids;
}

/** What the native profiler is given in place of a context; see {@link HookLabelContext}. */
interface MutableContext {
  current: SampleContext;
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
  readonly #storage = new AsyncLocalStorage<SampleContext>();
  readonly #hook = createHook({ before: () => this.#activate(this.#storage.getStore() ?? this.#empty) });
  readonly #profiler: NativeTimeProfiler;
  readonly #sampleCountIndex: number;
  readonly #empty: SampleContext;
  #context: MutableContext;
  #sampleCount = 0;
  #isHooked = false;
  #isClosed = false;

  constructor(profiler: NativeTimeProfiler, sampleCountIndex: number, empty: SampleContext) {
    this.#profiler = profiler;
    this.#sampleCountIndex = sampleCountIndex;
    this.#empty = empty;
    this.#context = { current: empty };
    this.renew();
  }

  current(): SampleContext | undefined {
    return this.#isHooked ? this.#storage.getStore() : undefined;
  }

  run<A extends readonly unknown[], T>(context: SampleContext, fn: (...args: A) => T, args: A): T {
    if (this.#isClosed) return fn(...args);
    this.#enableHook();
    const before = this.#storage.getStore() ?? this.#empty;
    // Named, so that its frame can be told from the program's and left out of stacks.
    const runActive = (): T => {
      this.#activate(context);
      try {
        return fn(...args);
      } finally {
        this.#activate(before);
      }
    };
    return this.#storage.run(context, runActive);
  }

  runWithin<V, T>(context: SampleContext, maker: ContextMaker<V>, value: V, fn: () => T): T {
    return this.run(context, maker.run<T>, [value, fn]);
  }

  enter(context: SampleContext): void {
    if (this.#isClosed) return;
    this.#enableHook();
    this.#storage.enterWith(context);
    this.#activate(context);
  }

  contextOf(recorded: object | undefined): SampleContext | undefined {
    // Only #activate and renew give the profiler contexts.
    return (recorded as MutableContext | undefined)?.current;
  }

  renew(): void {
    this.#sampleCount = this.#profiler.state[this.#sampleCountIndex] ?? 0;
    this.#context = { current: this.#context.current };
    this.#profiler.context = this.#context;
  }

  close(): void {
    this.#isClosed = true;
    this.#hook.disable();
    this.#storage.disable();
    this.#isHooked = false;
  }

  #activate(context: SampleContext): void {
    // The program may call stop() within run(): dispose() frees the native object, and touching it then is a crash.
    if (this.#isClosed) return;
    const count = this.#profiler.state[this.#sampleCountIndex];
    if (count === this.#sampleCount) {
      this.#context.current = context;
      return;
    }
    this.#sampleCount = count ?? 0;
    this.#context = { current: context };
    this.#profiler.context = this.#context;
  }

  #enableHook(): void {
    if (this.#isHooked) return;
    this.#isHooked = true;
    this.#hook.enable();
  }
}
