import asyncHooks from "node:async_hooks";
import { readFile, stat } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { canLeavePromisesAlone, WaitHook } from "./wait-hook.ts";
import type { WaitKind } from "./wait-kind.ts";

let hook: WaitHook<WaitKind> | undefined;

afterEach(() => hook?.disable());

/** A hook that is enabled, and the kinds of waits as they begin and end. */
function createHook(isTaken = true) {
  const begun: WaitKind[] = [];
  const ended: WaitKind[] = [];
  const created = new WaitHook<WaitKind>({
    begin(kind) {
      begun.push(kind);
      return isTaken ? kind : undefined;
    },
    end: (kind) => void ended.push(kind),
  });
  created.enable();
  hook = created;
  return { hook: created, begun, ended };
}

describe("canLeavePromisesAlone", () => {
  it.for(["20.20.2", "22.23.3"])("does not ask Node %s: awaits would be slower from then on", (version) => {
    const created = vi.spyOn(asyncHooks, "createHook");
    syncBuiltinESMExports();
    try {
      expect(canLeavePromisesAlone(version)).toBe(false);
      expect(created).not.toHaveBeenCalled();
    } finally {
      created.mockRestore();
      syncBuiltinESMExports();
    }
  });
});

describe("WaitHook", () => {
  it("hears of timers and files, from their beginning to their end", async () => {
    const { begun, ended } = createHook();

    await sleep(1);
    await stat(import.meta.filename);

    expect(begun).toContain("(timer)");
    expect(ended).toContain("(timer)");
    expect(ended).toContain("(file system)");
  });

  it("leaves out intervals, timers that do not hold the process, and those that were cleared", async () => {
    const { hook: created, ended } = createHook();
    const interval = setInterval(() => undefined, 1);
    const background = setTimeout(() => undefined, 1).unref();
    const cleared = setTimeout(() => undefined, 1);
    clearTimeout(cleared);
    created.sweep();

    await new Promise((resolve) => setTimeout(resolve, 5));

    clearInterval(interval);
    clearTimeout(background);
    expect(ended).toEqual(["(timer)"]);
  });

  it("does not end what nobody took, and nothing once disabled", async () => {
    const { ended } = createHook(false);
    await readFile(import.meta.filename);
    expect(ended).toEqual([]);

    const other = createHook();
    const waiting = sleep(1);
    other.hook.disable();
    await waiting;
    expect(other.ended).toEqual([]);
  });
});
