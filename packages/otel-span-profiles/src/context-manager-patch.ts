import { AsyncLocalStorage } from "node:async_hooks";
import type { Context, ContextManager } from "@opentelemetry/api";
import type { ContextMaker } from "@pyroscope-ts/sdk-node/spans";

type Target = (...args: readonly unknown[]) => unknown;
type With = (context: Context, fn: Target, self?: unknown, ...args: readonly unknown[]) => unknown;

/** What is done around the `with` of a context manager. */
export interface AroundWith {
  /** True where there is nothing to do for `context`: `with` is then called as it is. */
  readonly isIdle: (context: Context) => boolean;
  /** Has `maker` call `fn` in `context`, around which it may do what that asks for. */
  readonly run: (maker: ContextMaker<Context>, context: Context, fn: () => unknown) => unknown;
}

// Where every copy of the API keeps what was registered with any of them, for the whole life of its major version 1.
const API_GLOBAL: unique symbol = Symbol.for("opentelemetry.js.api.1");

/** The context manager that the program registered, through whichever copy of the API. */
export function registeredContextManager(): ContextManager | undefined {
  return (globalThis as { [API_GLOBAL]?: { readonly context?: ContextManager } })[API_GLOBAL]?.context;
}

/**
 * Puts a function around `with` of the registered context manager: every way to make a context active ends there, as
 * `context.with`, `startActiveSpan`, and whatever `context.bind` bound.
 *
 * A span processor alone cannot know which span is active: a span starts before it becomes active, may never become
 * so, and stops being so whenever other work of the thread goes on.
 */
export class ContextManagerPatch {
  readonly #around: AroundWith;
  readonly #registered: () => ContextManager | undefined;
  #manager: ContextManager | undefined;
  #isRemoved = false;
  #restore: () => void = () => undefined;

  constructor(around: AroundWith, registered: () => ContextManager | undefined = registeredContextManager) {
    this.#around = around;
    this.#registered = registered;
  }

  /**
   * Patches the registered manager unless that is done: it may be registered late, and replaced by another.
   *
   * @returns false while none is registered.
   */
  apply(): boolean {
    const manager = this.#registered();
    if (manager === this.#manager) return manager !== undefined;
    this.#restore();
    this.#manager = undefined;
    if (manager === undefined) return false;
    this.#patch(manager);
    this.#manager = manager;
    return true;
  }

  /** Gives the manager its own `with` back. */
  remove(): void {
    this.#isRemoved = true;
    this.#restore();
    this.#restore = () => undefined;
    this.#manager = undefined;
  }

  #patch(manager: ContextManager): void {
    const own = Object.getOwnPropertyDescriptor(manager, "with");
    const call = manager.with.bind(manager) as With;
    const isOff = (): boolean => this.#isRemoved || this.#manager !== manager;
    const { isIdle, run } = this.#around;
    const maker: ContextMaker<Context> = {
      storage: storageOf(manager),
      // It returns what `fn` does.
      run: call as ContextMaker<Context>["run"],
    };
    // Named, as the function below, so that their frames can be told from the program's and left out of stacks.
    const runInContext = (context: Context, fn: Target, self?: unknown, ...args: unknown[]): unknown => {
      // Most contexts of a request are of the span that is active. Any frame more is in the stacks of all below, where it costs V8
      // time in every sample.
      if (isOff() || isIdle(context)) return call(context, fn, self, ...args);
      const callTarget = (): unknown => Reflect.apply(fn, self, args);
      return run(maker, context, callTarget);
    };
    Object.defineProperty(manager, "with", { value: runInContext, configurable: true, writable: true });
    this.#restore = () => {
      // Somebody else may have patched on top; then ours stays and only passes on.
      if (manager.with !== runInContext) return;
      if (own === undefined) Reflect.deleteProperty(manager, "with");
      else Object.defineProperty(manager, "with", own);
    };
  }
}

/** Where OpenTelemetry's own context manager for Node, of 1.x and 2.x, keeps the active context. */
function storageOf(manager: ContextManager): AsyncLocalStorage<unknown> | undefined {
  const storage: unknown = Reflect.get(manager, "_asyncLocalStorage");
  return storage instanceof AsyncLocalStorage ? storage : undefined;
}
