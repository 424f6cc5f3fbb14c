import { describeError, SdkError } from "../errors.ts";
import { CallAccounts } from "../labels/call-accounts.ts";
import { CallObserver } from "../labels/call-observer.ts";
import type { LabelContext } from "../labels/label-context.ts";
import type { LabelSets } from "../labels/label-set.ts";
import type { ProfileTypeName } from "../options.ts";
import {
  createExceptionProfiler,
  createHeapProfiler,
  createLabelContext,
  createTimeProfiler,
  createWaitProfiler,
  type ProfilerParts,
} from "./create-profilers.ts";
import type { ExceptionProfiler } from "./exception-profiler.ts";
import { GcProfiler } from "./gc-profiler.ts";
import type { HeapProfiler } from "./heap-profiler.ts";
import type { Profiler, Recording, TimeProfiler } from "./profiler.ts";
import type { WaitProfiler } from "./wait-profiler.ts";

/** Profilers that are switched on and off while the others go on: CPU, wall and blocked time, or live objects. */
export type ProfilerGroup = "wall" | "heap";

interface Group {
  readonly types: readonly ProfileTypeName[];
  /** Those that it has where the configuration names none of them. */
  readonly defaults: readonly ProfileTypeName[];
}

const GROUPS: { readonly [G in ProfilerGroup]: Group } = {
  wall: { types: ["cpu", "wall", "block"], defaults: ["cpu", "wall"] },
  heap: { types: ["inuse_objects", "inuse_space"], defaults: ["inuse_objects", "inuse_space"] },
};

const ORDER: readonly ProfileTypeName[] = [
  ...GROUPS.wall.types,
  ...GROUPS.heap.types,
  "wait",
  "exceptions",
  "gc",
];

/** The profilers of one run: which of them are on, and what they record. */
export class ProfilerSet {
  /** How labelled calls are run where their end matters to a profile; undefined where it does not. */
  readonly calls: CallObserver | undefined;
  readonly #parts: ProfilerParts;
  readonly #labelSets: LabelSets;
  readonly #ownLabels: LabelContext;
  readonly #gc: GcProfiler | undefined;
  readonly #wait: WaitProfiler | undefined;
  readonly #exceptions: ExceptionProfiler | undefined;
  #time: TimeProfiler | undefined;
  #heap: HeapProfiler | undefined;
  readonly #running = new Set<Profiler>();

  constructor(parts: ProfilerParts, labelSets: LabelSets) {
    this.#parts = parts;
    this.#labelSets = labelSets;
    this.#ownLabels = createLabelContext(parts);
    this.#gc = parts.config.profileTypes.includes("gc") ? new GcProfiler(parts.clock) : undefined;
    const accounts = new CallAccounts();
    this.#wait = createWaitProfiler(parts, () => this.labels, labelSets, accounts);
    this.#exceptions = createExceptionProfiler(parts, () => this.labels, labelSets);
    const isObserving = this.#wait !== undefined || this.#exceptions !== undefined;
    this.calls = isObserving ? this.#createObserver(accounts) : undefined;
  }

  /** How labels reach samples now. */
  get labels(): LabelContext {
    const { labels } = this.#time ?? {};
    return labels === undefined || labels.mechanism === "none" ? this.#ownLabels : labels;
  }

  /** Labels are being set: from then on more can be profiled on some lines of Node. */
  noteLabels(): void {
    this.#wait?.noteLabels();
  }

  /** The profiler of live objects, on or not; undefined where there is none. */
  get heap(): HeapProfiler | undefined {
    this.#heap ??= createHeapProfiler(this.#parts, this.#typesOf("heap"));
    return this.#heap;
  }

  /** Counts an exception, with the labels of what runs now. */
  recordException(error: unknown): void {
    this.#exceptions?.record(error, this.labels.current());
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** Of the types that the configuration names, and those that were switched on, the ones that are recorded. */
  get types(): readonly ProfileTypeName[] {
    return this.#inOrder()
      .flatMap(({ types }) => types)
      .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  }

  /** Starts what the configuration names. @returns what those threw that do not run. */
  start(): readonly unknown[] {
    const failures: unknown[] = [];
    const { profileTypes } = this.#parts.config;
    const groups = (["heap", "wall"] as const).filter((group) =>
      GROUPS[group].types.some((type) => profileTypes.includes(type)),
    );
    const starts = groups.map((group) => () => this.startGroup(group));
    for (const profiler of [this.#gc, this.#exceptions, this.#wait]) starts.push(() => this.#start(profiler));
    for (const start of starts) {
      try {
        start();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }

  /** @throws {@link SdkError} `NATIVE_UNAVAILABLE` or `PROFILER_FAILED` when it cannot run. */
  startGroup(group: ProfilerGroup): void {
    const types = this.#typesOf(group);
    let profiler: Profiler | undefined;
    if (group === "wall") profiler = this.#time ??= createTimeProfiler(this.#parts, this.#labelSets, types);
    else profiler = this.heap;
    if (profiler === undefined) {
      throw new SdkError(
        `profileTypes=${types.join(",")}: none of them is possible on ${this.#parts.platform}`,
        {
          code: "NATIVE_UNAVAILABLE",
        },
      );
    }
    this.#start(profiler);
  }

  /** The last window of what was switched off; undefined where it was not on. */
  stopGroup(group: ProfilerGroup): readonly Recording[] {
    const profiler = group === "wall" ? this.#time : this.#heap;
    if (profiler === undefined || !this.#running.delete(profiler)) return [];
    return this.#read([profiler], () => profiler.stop());
  }

  /** CPU and wall samples per second, from the next window on. */
  setSampleRate(hz: number): void {
    this.#time?.setSampleRate?.(hz);
  }

  /** Ends a window everywhere and begins the next. */
  collect(): readonly Recording[] {
    return this.#read(this.#inOrder(), (profiler) => profiler.collect());
  }

  /** As {@link ProfilerSet.collect}, without live objects: each snapshot of those that is pushed counts once more. */
  collectTime(): readonly Recording[] {
    const profilers = this.#inOrder().filter((profiler) => profiler !== this.#heap);
    return this.#read(profilers, (profiler) => profiler.collect());
  }

  stop(): readonly Recording[] {
    const recordings = this.#read(this.#inOrder(), (profiler) => profiler.stop());
    this.#running.clear();
    this.#ownLabels.close();
    return recordings;
  }

  /** Heap first: what the reading of the others allocates must not show in it. Waits last: they are told by wall time. */
  #inOrder(): readonly Profiler[] {
    return [this.#heap, this.#gc, this.#exceptions, this.#time, this.#wait].filter(
      (profiler) => profiler !== undefined && this.#running.has(profiler),
    ) as readonly Profiler[];
  }

  #createObserver(accounts: CallAccounts): CallObserver {
    const { clock } = this.#parts;
    return new CallObserver({
      clock,
      accounts: this.#wait === undefined ? undefined : accounts,
      onLabels: () => this.noteLabels(),
      onError: this.#exceptions && ((error, context) => this.#exceptions?.record(error, context)),
    });
  }

  #start(profiler: Profiler | undefined): void {
    if (profiler === undefined || this.#running.has(profiler)) return;
    profiler.start();
    this.#running.add(profiler);
  }

  /** What every profiler gives; one that fails is reported and left out. */
  #read(
    profilers: readonly Profiler[],
    read: (profiler: Profiler) => Recording | undefined,
  ): readonly Recording[] {
    const recordings: Recording[] = [];
    for (const profiler of profilers) {
      try {
        const recording = read(profiler);
        if (recording !== undefined) recordings.push(recording);
      } catch (error) {
        const message = describeError(error);
        this.#parts.diagnostics.warnOnce(`profiler:${message}`, message);
      }
    }
    return recordings;
  }

  #typesOf(group: ProfilerGroup): readonly ProfileTypeName[] {
    const { types, defaults } = GROUPS[group];
    const configured = types.filter((type) => this.#parts.config.profileTypes.includes(type));
    return configured.length === 0 ? defaults : configured;
  }
}
