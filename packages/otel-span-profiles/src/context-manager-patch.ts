import type { Context, ContextManager } from "@opentelemetry/api";

type With = ContextManager["with"];

/** Calls `call` with the arguments of a `with`, around which it may do what `context` asks for. */
export type AroundWith = (context: Context, call: With, args: Parameters<With>) => ReturnType<With>;

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
    const around = this.#around;
    // Named, so that its frame can be told from the program's and left out of stacks.
    const runInContext = (...args: Parameters<With>): ReturnType<With> =>
      isOff() ? call(...args) : around(args[0], call, args);
    Object.defineProperty(manager, "with", { value: runInContext, configurable: true, writable: true });
    this.#restore = () => {
      // Somebody else may have patched on top; then ours stays and only passes on.
      if (manager.with !== runInContext) return;
      if (own === undefined) Reflect.deleteProperty(manager, "with");
      else Object.defineProperty(manager, "with", own);
    };
  }
}
