import type { Context, ContextManager } from "@opentelemetry/api";
import { context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import { ContextManagerPatch, registeredContextManager } from "./context-manager-patch.ts";

const KEY = createContextKey("test");
const a = ROOT_CONTEXT.setValue(KEY, "a");
const idle = ROOT_CONTEXT.setValue(KEY, "idle");

/** A manager that only knows what its own `with` made active. */
class StackManager implements ContextManager {
  #active: Context = ROOT_CONTEXT;
  active(): Context {
    return this.#active;
  }
  with: ContextManager["with"];
  constructor() {
    this.with = (next, fn, thisArg, ...args) => {
      const before = this.#active;
      this.#active = next;
      try {
        return fn.call(thisArg as ThisParameterType<typeof fn>, ...args);
      } finally {
        this.#active = before;
      }
    };
  }
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

/** The same with `with` on its prototype, as the real ones have it. */
class PrototypeManager extends StackManager {
  static {
    const { prototype } = PrototypeManager;
    Object.defineProperty(prototype, "with", {
      configurable: true,
      value: function run(
        this: PrototypeManager,
        ...[, fn, thisArg, ...args]: Parameters<ContextManager["with"]>
      ) {
        return fn.call(thisArg as ThisParameterType<typeof fn>, ...args);
      },
    });
  }
  constructor() {
    super();
    Reflect.deleteProperty(this, "with");
  }
}

function createPatch(manager: { current: ContextManager | undefined }) {
  const seen: unknown[] = [];
  const patch = new ContextManagerPatch(
    {
      isIdle: (next) => next === idle,
      run: (maker, next, fn) => {
        seen.push(next.getValue(KEY));
        return maker.run(next, fn);
      },
    },
    () => manager.current,
  );
  return { patch, seen };
}

describe("registeredContextManager", () => {
  it("finds what was registered with the API, and nothing before", () => {
    onTestFinished(() => context.disable());
    const manager = new StackManager();

    expect(registeredContextManager()).toBeUndefined();
    context.setGlobalContextManager(manager);

    expect(registeredContextManager()).toBe(manager);
  });
});

describe("ContextManagerPatch", () => {
  it("sees every context that is made active; what runs gets its arguments, this and result", () => {
    const manager = new StackManager();
    const { patch, seen } = createPatch({ current: manager });
    const self = { name: "self" };

    expect(patch.apply()).toBe(true);
    const result = manager.with(
      a,
      function run(this: typeof self, x: number, y: number) {
        return [this.name, x + y, manager.active().getValue(KEY)];
      },
      self,
      1,
      2,
    );

    expect(result).toEqual(["self", 3, "a"]);
    expect(seen).toEqual(["a"]);
  });

  it("is one frame above what runs where there is nothing to do", () => {
    const manager = new StackManager();
    const { patch, seen } = createPatch({ current: manager });
    const readStack = (): string[] => (new Error("stack").stack ?? "").split("\n");
    patch.apply();

    const stack = manager.with(idle, readStack);
    const result = manager.with(idle, (x: number, y: number) => [manager.active(), x + y], undefined, 1, 2);

    expect(stack.filter((line) => line.includes("context-manager-patch.ts"))).toHaveLength(1);
    expect(result).toEqual([idle, 3]);
    expect(seen).toEqual([]);
  });

  it("patches once, however often it is applied", () => {
    const manager = new StackManager();
    const { patch, seen } = createPatch({ current: manager });

    patch.apply();
    patch.apply();
    manager.with(a, () => undefined);

    expect(seen).toEqual(["a"]);
  });

  it("waits for a manager that is registered late, and follows to the next one", () => {
    const holder: { current: ContextManager | undefined } = { current: undefined };
    const { patch, seen } = createPatch(holder);
    const [first, second] = [new StackManager(), new StackManager()];
    const original = first.with;

    expect(patch.apply()).toBe(false);
    holder.current = first;
    expect(patch.apply()).toBe(true);
    holder.current = second;
    expect(patch.apply()).toBe(true);
    first.with(a, () => undefined);
    second.with(a, () => undefined);

    expect(first.with).toBe(original);
    expect(seen).toEqual(["a"]);
  });

  it.for([
    { where: "itself", manager: new StackManager() },
    { where: "its prototype", manager: new PrototypeManager() },
  ])("gives a manager back the with of $where", ({ manager }) => {
    const before = Object.getOwnPropertyDescriptor(manager, "with");
    const { patch, seen } = createPatch({ current: manager });

    patch.apply();
    expect(Object.getOwnPropertyDescriptor(manager, "with")).not.toEqual(before);
    patch.remove();
    manager.with(a, () => undefined);

    expect(Object.getOwnPropertyDescriptor(manager, "with")).toEqual(before);
    expect(seen).toEqual([]);
  });

  it("leaves a patch on top of its own alone, and only passes on", () => {
    const manager = new StackManager();
    const { patch, seen } = createPatch({ current: manager });
    patch.apply();
    const ours = manager.with;
    const theirs: ContextManager["with"] = (...args) => ours(...args);
    manager.with = theirs;

    patch.remove();

    expect(manager.with).toBe(theirs);
    expect(manager.with(a, () => 1)).toBe(1);
    expect(seen).toEqual([]);
  });

  it("throws for a manager that cannot be patched, again at the next try", () => {
    const { patch } = createPatch({ current: Object.freeze(new StackManager()) });

    expect(() => patch.apply()).toThrow(TypeError);
    expect(() => patch.apply()).toThrow(TypeError);
  });
});
