import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { SignalTarget } from "./process-signals.ts";
import { watchSignals } from "./process-signals.ts";

class FakeProcess extends EventEmitter implements SignalTarget {
  readonly pid = 42;
  readonly kills: string[] = [];

  kill(pid: number, signal: NodeJS.Signals): void {
    // A signal with a listener does not end the process.
    this.kills.push(`${pid} ${signal} ${this.listenerCount(signal)}`);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("watchSignals", () => {
  it("flushes, and then ends the process by the same signal with no listener left", async () => {
    const target = new FakeProcess();
    const order: string[] = [];
    watchSignals(target, async () => {
      await turn();
      order.push(`flushed, ${target.kills.length} kills`);
    });

    target.emit("SIGTERM", "SIGTERM");
    await turn();
    await turn();

    expect(order).toEqual(["flushed, 0 kills"]);
    expect(target.kills).toEqual(["42 SIGTERM 0"]);
  });

  it("leaves the signal to a listener of the program, and is invisible while that looks", async () => {
    const target = new FakeProcess();
    const counts: number[] = [];
    let flushes = 0;
    watchSignals(target, async () => void flushes++);
    target.on("SIGINT", () => counts.push(target.listenerCount("SIGINT")));

    target.emit("SIGINT", "SIGINT");
    await turn();
    target.emit("SIGINT", "SIGINT");
    await turn();

    expect(counts).toEqual([1, 1]);
    expect(flushes).toBe(0);
    expect(target.kills).toEqual([]);
    expect(target.listenerCount("SIGINT")).toBe(2);
  });

  it("flushes for a program that shuts down by itself, and then sends itself the signal again", async () => {
    const target = new FakeProcess();
    const order: string[] = [];
    watchSignals(target, async () => void order.push("flushed"));
    const shutDown = async () => {
      await Promise.resolve();
      order.push("shut down");
      target.removeListener("SIGTERM", shutDown);
      target.emit("SIGTERM", "SIGTERM");
    };
    target.on("SIGTERM", shutDown);

    // As signals come: in a turn of the event loop, not in a promise.
    setImmediate(() => target.emit("SIGTERM", "SIGTERM"));
    await turn();
    await turn();

    expect(order).toEqual(["shut down", "flushed"]);
    expect(target.kills).toEqual(["42 SIGTERM 0"]);
  });

  it("gives a signal that the program sends itself at its end a turn to arrive", async () => {
    const target = new FakeProcess();
    watchSignals(target, async () => undefined);
    target.on("SIGTERM", () => undefined);
    target.emit("SIGTERM", "SIGTERM");
    target.emit("SIGTERM", "SIGTERM");

    const before = process.getActiveResourcesInfo().filter((name) => name === "Immediate").length;
    target.emit("beforeExit");
    target.emit("beforeExit");

    const after = process.getActiveResourcesInfo().filter((name) => name === "Immediate").length;
    expect(after - before).toBe(1);
  });

  it("does not wait for the flush when the signal comes again", () => {
    const target = new FakeProcess();
    watchSignals(target, () => new Promise(() => undefined));

    target.emit("SIGINT", "SIGINT");
    target.emit("SIGINT", "SIGINT");

    expect(target.kills).toEqual(["42 SIGINT 0"]);
  });

  it("takes all of its listeners off, for good", async () => {
    const target = new FakeProcess();
    const unwatch = watchSignals(target, async () => undefined);
    target.on("SIGTERM", () => undefined);

    target.emit("SIGTERM", "SIGTERM");
    unwatch();
    await turn();

    expect([target.listenerCount("SIGTERM"), target.listenerCount("SIGINT")]).toEqual([1, 0]);
  });
});
