import { afterEach, describe, expect, it } from "vitest";
import type { NotedStack } from "./call-sites.ts";
import { noteStack, readCallSites } from "./call-sites.ts";

const prepareStackTrace = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
const { stackTraceLimit } = Error;

afterEach(() => {
  if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
  else Object.defineProperty(Error, "prepareStackTrace", prepareStackTrace);
  Error.stackTraceLimit = stackTraceLimit;
});

/** As the runtime would: `hook` is the youngest function of ours. */
function callHook(): NotedStack {
  let noted: NotedStack = {};
  const hook = (): void => {
    noted = noteStack(hook);
  };
  hook();
  return noted;
}

const deep = (depth: number): NotedStack => (depth === 0 ? callHook() : deep(depth - 1));

describe("readCallSites", () => {
  it("gives the calls below the hook, leaf first, with the line of each call", () => {
    const [first, second] = readCallSites(deep(1));

    expect(first?.name).toBe("callHook");
    expect(second?.name).toBe("deep");
    expect(first?.scriptName).toContain("call-sites.test.ts");
    expect(first?.line).toBeGreaterThan(0);
    expect(first?.column).toBeGreaterThan(0);
  });

  it("sees deeper than the program's own limit, and leaves the limit as it was", () => {
    Error.stackTraceLimit = 3;

    const sites = readCallSites(deep(100));

    expect(sites).toHaveLength(64);
    expect(Error.stackTraceLimit).toBe(3);
  });

  it("names the functions that await the one that waits", async () => {
    const waiting = async (): Promise<NotedStack> => {
      await null;
      return callHook();
    };
    const handler = async (): Promise<NotedStack> => {
      const noted = await waiting();
      return noted;
    };

    const names = readCallSites(await handler()).map(({ name }) => name);

    expect(names.indexOf("handler")).toBeGreaterThan(names.indexOf("waiting"));
    expect(names.indexOf("waiting")).toBeGreaterThan(0);
  });

  it("neither calls nor replaces the program's Error.prepareStackTrace", () => {
    let callCount = 0;
    const own = (): string => {
      callCount++;
      return "own";
    };
    Error.prepareStackTrace = own;

    expect(readCallSites(callHook())[0]?.name).toBe("callHook");

    expect(callCount).toBe(0);
    expect(Error.prepareStackTrace).toBe(own);
    expect(new Error("later").stack).toBe("own");
  });

  it("leaves no Error.prepareStackTrace where there was none", () => {
    Reflect.deleteProperty(Error, "prepareStackTrace");

    readCallSites(callHook());

    expect(Object.hasOwn(Error, "prepareStackTrace")).toBe(false);
  });
});
