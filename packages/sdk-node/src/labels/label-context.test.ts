import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { FakeTimeProfiler } from "../testing/fake-native.ts";
import type { ContextMaker, LabelContext } from "./label-context.ts";
import { FrameLabelContext, HookLabelContext, noLabelContext, StorageLabelContext } from "./label-context.ts";
import { LabelSets } from "./label-set.ts";
import { toContext, withSpan } from "./sample-context.ts";

const sets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
const empty = toContext(sets.empty);
const a = toContext(sets.merge(sets.empty, { route: "/a" }));
const b = toContext(sets.merge(sets.empty, { route: "/b" }));

function createNative(): FakeTimeProfiler {
  return new FakeTimeProfiler({
    intervalMicros: 10_000,
    durationMillis: 15_000,
    lineNumbers: false,
    withContexts: true,
    workaroundV8Bug: false,
    collectCpuTime: true,
    collectAsyncId: false,
    useCPED: false,
    CPEDKey: undefined,
    isMainThread: true,
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const mechanisms: readonly {
  readonly name: string;
  readonly create: (native?: FakeTimeProfiler) => LabelContext;
}[] = [
  {
    name: "FrameLabelContext",
    create: (native = createNative()) => new FrameLabelContext(new AsyncLocalStorage(), native),
  },
  {
    name: "HookLabelContext",
    create: (native = createNative()) => new HookLabelContext(native, 0, empty),
  },
  { name: "StorageLabelContext", create: () => new StorageLabelContext() },
];

describe.for(mechanisms)("$name", ({ create }) => {
  it("gives what it runs its labels, its arguments and its result, and the caller its own back", () => {
    const context = create();

    const result = context.run(a, (x: number, y: number) => [x + y, context.current()], [1, 2]);

    expect(result).toEqual([3, a]);
    expect(context.current()).toBeUndefined();
    context.close();
  });

  it("gives the caller its own back after a throw", () => {
    const context = create();

    context.run(a, () => {
      expect(() =>
        context.run(b, () => {
          throw new Error("mine");
        }, []),
      ).toThrow("mine");
      expect(context.current()).toBe(a);
    }, []);
    context.close();
  });

  it("leaves the native profiler alone once it is closed, also from within", () => {
    const native = createNative();
    const context = create(native);

    const result = context.run(a, () => {
      context.close();
      // A disposed native profiler crashes the process at any access.
      for (const name of ["state", "context", "createContextHolder"]) {
        const touch = (): never => {
          throw new Error(`${name} of a disposed profiler`);
        };
        Object.defineProperty(native, name, { get: touch, set: touch });
      }
      context.enter(b);
      return context.run(b, () => "done", []);
    }, []);

    expect(result).toBe("done");
  });

  it("follows what runs at the same time apart", async () => {
    const context = create();
    const seen: unknown[] = [];
    const work = async (): Promise<void> => {
      await turn();
      seen.push(context.current());
    };

    await Promise.all([context.run(a, work, []), context.run(b, work, [])]);

    expect(seen).toEqual([a, b]);
    context.close();
  });

  it("enters labels for the rest of one asynchronous context only", async () => {
    const context = create();
    const request = async (): Promise<unknown> => {
      await turn();
      context.enter(b);
      await turn();
      return context.current();
    };

    const [first, second] = await Promise.all([
      context.run(a, request, []),
      context.run(a, turn, []).then(() => a),
    ]);

    expect([first, second]).toEqual([b, a]);
    context.close();
  });

  it("still runs what it is given after it was closed", () => {
    const context = create();
    context.run(a, () => undefined, []);

    context.close();

    expect(context.current()).toBeUndefined();
  });
});

describe("FrameLabelContext", () => {
  const span = { traceId: undefined, spanId: "1", name: undefined, endTimeMs: undefined };

  /** With a tracer that keeps its contexts in a storage of its own. */
  function createWithin() {
    const key = new AsyncLocalStorage<unknown>();
    const native = new FakeTimeProfiler({ ...createNative().options, useCPED: true, CPEDKey: key });
    const storage = new AsyncLocalStorage<unknown>();
    const run: ContextMaker<string>["run"] = (value, fn) => storage.run(value, fn);
    return { native, context: new FrameLabelContext(key, native), maker: { storage, run } };
  }

  it("makes one native holder for each label set", () => {
    const native = createNative();
    const context = new FrameLabelContext(new AsyncLocalStorage(), native);

    for (let i = 0; i < 5; i++) {
      context.run(a, () => undefined, []);
      context.run(b, () => undefined, []);
    }

    expect(native.calls).toEqual(["holder", "holder"]);
    context.close();
  });

  it("makes one native holder for a span and what starts under it, and another when its labels change", () => {
    const native = createNative();
    const context = new FrameLabelContext(new AsyncLocalStorage(), native);

    const seen = context.run(withSpan(a, span), () => {
      for (let i = 0; i < 5; i++) context.run(withSpan(a, span), () => undefined, []);
      return context.run(withSpan(b, span), () => context.current(), []);
    }, []);

    expect(native.calls).toEqual(["holder", "holder"]);
    expect(seen).toEqual(withSpan(b, span));
    context.close();
  });

  it("puts a span into the context that its tracer makes, and is out of it afterwards", async () => {
    const { context, native, maker } = createWithin();

    const seen = context.runWithin(withSpan(a, span), maker, "tracer's", () => [
      maker.storage.getStore(),
      context.current(),
    ]);

    expect(seen).toEqual(["tracer's", withSpan(a, span)]);
    expect([context.current(), maker.storage.getStore()]).toEqual([undefined, undefined]);
    expect(native.calls).toEqual(["holder"]);
    context.close();
  });

  it("gives the caller of a tracer its own back, also after a throw", () => {
    const { context, maker } = createWithin();

    context.run(b, () => {
      const fail = (): never => {
        throw new Error("mine");
      };
      expect(() => context.runWithin(withSpan(b, span), maker, "tracer's", fail)).toThrow("mine");
      expect(context.current()).toBe(b);
    }, []);
    context.close();
  });

  it("makes a context of its own where the tracer makes none", () => {
    const { context, native, maker } = createWithin();
    const look = (): unknown => context.current();

    const seen = maker.storage.run("tracer's", () => {
      Object.defineProperty(native, "context", {
        set: () => {
          throw new Error("what was started before would have it, too");
        },
      });
      return [context.runWithin(withSpan(a, span), maker, "tracer's", look), context.current()];
    });

    expect(seen).toEqual([withSpan(a, span), undefined]);
    context.close();
  });

  it("leaves the native profiler alone when it is closed within", () => {
    const { context, native, maker } = createWithin();

    const result = context.runWithin(withSpan(a, span), maker, "tracer's", () => {
      context.close();
      Object.defineProperty(native, "context", {
        set: () => {
          throw new Error("context of a disposed profiler");
        },
      });
      return context.runWithin(withSpan(b, span), maker, "another", () => "done");
    });

    expect(result).toBe("done");
  });

  it("tells ids that were given by hand apart", () => {
    const context = new FrameLabelContext(new AsyncLocalStorage(), createNative());
    const ids = (spanId: string) => ({ ...a, ids: { traceId: undefined, spanId } });

    const seen = context.run(
      ids("1"),
      () => [context.current()?.ids?.spanId, context.run(ids("2"), () => context.current()?.ids?.spanId, [])],
      [],
    );

    expect(seen).toEqual(["1", "2"]);
    context.close();
  });
});

describe("HookLabelContext", () => {
  it("follows no promise before the first label", async () => {
    const native = createNative();
    const context = new HookLabelContext(native, 0, empty);
    const given = native.context;

    native.tick("unlabelled");
    await turn();

    // Had the hook run, the sample would have made it give a new context.
    expect(native.context).toBe(given);
    context.close();
  });

  it("tells the native profiler before every callback, a new object only after a sample took the last one", async () => {
    const native = createNative();
    const context = new HookLabelContext(native, 0, empty);
    const given = new Set<object | undefined>();
    const look = (): unknown => {
      given.add(native.context);
      return context.contextOf(native.context);
    };

    await context.run(a, async () => {
      expect(look()).toBe(a);
      await turn();
      expect(look()).toBe(a);
      native.tick("a");
      context.run(b, () => expect(look()).toBe(b), []);
      expect(look()).toBe(a);
    }, []);

    expect(given.size).toBe(2);
    context.close();
  });

  it("leaves the labels of a taken sample as they were", () => {
    const native = createNative();
    const context = new HookLabelContext(native, 0, empty);

    const taken = context.run(a, () => {
      native.tick("a");
      return native.context;
    }, []);
    context.run(b, () => undefined, []);

    expect(context.contextOf(taken)).toBe(a);
    context.close();
  });
});

describe("noLabelContext", () => {
  it("runs what it is given", () => {
    expect(noLabelContext.run(a, (x: number) => x, [1])).toBe(1);
    expect(noLabelContext.current()).toBeUndefined();
  });
});
