import type { AsyncHook } from "node:async_hooks";
import { createHook } from "node:async_hooks";
import type { HookFunction } from "./call-sites.ts";
import type { WaitKind } from "./wait-kind.ts";
import { waitKindOf } from "./wait-kind.ts";

/** Who hears of waits. Neither function may throw: Node ends a process whose hook does. */
export interface WaitListener<W> {
  /** Called by `hook` where the wait begins; undefined when it is not looked at. */
  readonly begin: (kind: WaitKind, hook: HookFunction) => W | undefined;
  readonly end: (wait: W) => void;
}

interface OpenWait<W> {
  readonly wait: W;
  readonly resource: object;
}

/** Internals of a timer, as every supported Node has them. */
interface TimerInternals {
  readonly _repeat?: unknown;
  readonly _destroyed?: unknown;
  readonly hasRef?: () => boolean;
}

// Waits that are looked at and not over: some 100 bytes and a noted stack each.
const MAX_OPEN = 5000;

// Older lines follow promises in any case. Asking them costs: once a hook has followed promises, V8 has an await take
// half as long again, 50 to 75 ns, for as long as the process lives.
const FIRST_TO_LEAVE_PROMISES_ALONE = 24;

/** Where Node honours `trackPromises: false`, a hook costs nothing at an await. */
export function canLeavePromisesAlone(nodeVersion: string = process.versions.node): boolean {
  if (Number(nodeVersion.split(".")[0]) < FIRST_TO_LEAVE_PROMISES_ALONE) return false;
  let isTracked = false;
  const hook = createHook({
    init: () => {
      isTracked = true;
    },
    ...LEAVE_PROMISES_ALONE,
  });
  hook.enable();
  void new Promise(() => undefined);
  hook.disable();
  return !isTracked;
}

// Newer than the types of the oldest Node.
const LEAVE_PROMISES_ALONE: object = { trackPromises: false };

/**
 * Hears of waits for timers, files, names, crypto and child processes through `async_hooks`.
 *
 * There is no `destroy`: with it Node watches the collection of every promise where it follows promises at all. So
 * timers that were cleared are looked for when the list of open waits is read.
 */
export class WaitHook<W> {
  readonly #listener: WaitListener<W>;
  readonly #open = new Map<number, OpenWait<W>>();
  readonly #hook: AsyncHook;
  #isEnabled = false;

  constructor(listener: WaitListener<W>) {
    this.#listener = listener;
    const init = (id: number, type: string, _triggerId: number, resource: object): void =>
      this.#begin(id, type, resource, init);
    this.#hook = createHook({
      init,
      before: (id) => this.#end(id),
      ...LEAVE_PROMISES_ALONE,
    });
  }

  enable(): void {
    if (this.#isEnabled) return;
    this.#isEnabled = true;
    this.#hook.enable();
  }

  disable(): void {
    this.#isEnabled = false;
    this.#hook.disable();
    this.#open.clear();
  }

  /** Forgets timers that were cleared. */
  sweep(): void {
    for (const [id, { resource }] of this.#open) if (isCleared(resource)) this.#open.delete(id);
  }

  #begin(id: number, type: string, resource: object, init: HookFunction): void {
    if (type === "PROMISE") return;
    const kind = waitKindOf(type);
    if (kind === undefined || isInterval(resource)) return;
    const wait = this.#listener.begin(kind, init);
    if (wait === undefined) return;
    if (this.#open.size >= MAX_OPEN) this.sweep();
    if (this.#open.size < MAX_OPEN) this.#open.set(id, { wait, resource });
  }

  #end(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    if (!isBackground(open.resource)) this.#listener.end(open.wait);
  }
}

/** Nobody awaits an interval. */
function isInterval(resource: TimerInternals): boolean {
  return typeof resource._repeat === "number";
}

function isCleared(resource: TimerInternals): boolean {
  return resource._destroyed === true;
}

/** A timer that does not hold the process limits or repeats something; what is awaited holds it. */
function isBackground(resource: TimerInternals): boolean {
  return typeof resource.hasRef === "function" && "_repeat" in resource && !resource.hasRef();
}
