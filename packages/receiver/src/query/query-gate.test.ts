import { beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { createQueryGate } from "./query-gate.ts";

const TENANT = "acme";

const limits = { maxConcurrentQueries: 2, maxWaitingQueries: 1, queryTimeoutMs: 0 };

let timers: { readonly fn: () => void; readonly delayMillis: number }[] = [];
const clock: Pick<Clock, "setTimer"> = {
  setTimer(fn, delayMillis) {
    const timer = { fn, delayMillis };
    timers.push(timer);
    return {
      cancel: () => {
        timers = timers.filter((one) => one !== timer);
      },
    };
  },
};

beforeEach(() => {
  timers = [];
});

/** Work that ends when the test says so, or fails when its signal fires. */
function heldWork() {
  let finish = (): void => {};
  let started = false;
  const work = (signal: AbortSignal): Promise<string> => {
    started = true;
    return new Promise((resolve, reject) => {
      finish = () => resolve("done");
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };
  return { work, finish: () => finish(), isStarted: () => started };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe("createQueryGate", () => {
  it("runs as many as it may, keeps the next waiting and refuses one more", async () => {
    const gate = createQueryGate(limits, clock);
    const [first, second, third] = [heldWork(), heldWork(), heldWork()];
    const results = [first, second, third].map(({ work }) => gate.run(work, TENANT, undefined));
    await settle();

    expect([first, second, third].map((held) => held.isStarted())).toEqual([true, true, false]);
    await expect(gate.run(heldWork().work, TENANT, undefined)).rejects.toMatchObject({ code: "UNAVAILABLE" });

    first.finish();
    await settle();
    expect(third.isStarted()).toBe(true);
    second.finish();
    third.finish();
    expect(await Promise.all(results)).toEqual(["done", "done", "done"]);
  });

  it("lets tenants take turns, whoever asks more", async () => {
    const gate = createQueryGate({ ...limits, maxConcurrentQueries: 1, maxWaitingQueries: 10 }, clock);
    const order: string[] = [];
    const ask = (tenant: string) => gate.run(async () => void order.push(tenant), tenant, undefined);

    await Promise.all(["greedy", "greedy", "greedy", "modest"].map(ask));

    expect(order).toEqual(["greedy", "greedy", "modest", "greedy"]);
  });

  it("refuses the newest of the tenant that waits most when another one comes to a full line", async () => {
    const gate = createQueryGate({ ...limits, maxConcurrentQueries: 1, maxWaitingQueries: 2 }, clock);
    const held = heldWork();
    const running = gate.run(held.work, "greedy", undefined);
    const done = () => Promise.resolve("done");
    const older = gate.run(done, "greedy", undefined);
    const newer = gate.run(done, "greedy", undefined);
    await settle();

    const modest = gate.run(done, "modest", undefined);
    await expect(newer).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "2 queries wait already: limit 2",
    });
    await expect(gate.run(done, "greedy", undefined)).rejects.toMatchObject({ code: "UNAVAILABLE" });

    held.finish();
    expect(await Promise.all([running, older, modest])).toEqual(["done", "done", "done"]);
  });

  it("gives the place of work that fails to the next", async () => {
    const gate = createQueryGate({ ...limits, maxConcurrentQueries: 1 }, clock);

    const failing = gate.run(() => Promise.reject(new Error("broken")), TENANT, undefined);
    const next = gate.run(() => Promise.resolve("next"), TENANT, undefined);

    await expect(failing).rejects.toThrow("broken");
    expect(await next).toBe("next");
  });

  it("says that the client cancelled, running or waiting, and frees the place in line", async () => {
    const gate = createQueryGate({ ...limits, maxConcurrentQueries: 1 }, clock);
    const controller = new AbortController();
    const running = gate.run(heldWork().work, TENANT, controller.signal);
    const waiting = gate.run(heldWork().work, TENANT, controller.signal);
    await settle();

    controller.abort();
    const outcomes = await Promise.allSettled([running, waiting]);

    const cancelled = { code: "CANCELLED", message: "the request was cancelled by the client" };
    expect(outcomes).toMatchObject([{ reason: cancelled }, { reason: cancelled }]);
    expect(await gate.run(() => Promise.resolve("later"), TENANT, undefined)).toBe("later");
  });

  it("does not start work for a client that left before", async () => {
    const gate = createQueryGate(limits, clock);
    const held = heldWork();

    await expect(gate.run(held.work, TENANT, AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(held.isStarted()).toBe(false);
  });

  it("says that the time is up, counted from the arrival, and forgets the time of what ended", async () => {
    const gate = createQueryGate({ ...limits, maxConcurrentQueries: 1, queryTimeoutMs: 1000 }, clock);
    const first = heldWork();
    const running = gate.run(first.work, TENANT, undefined);
    const waiting = gate.run(heldWork().work, TENANT, undefined);
    await settle();
    first.finish();
    expect(await running).toBe("done");
    await settle();

    expect(timers.map(({ delayMillis }) => delayMillis)).toEqual([1000]);
    timers[0]?.fn();

    await expect(waiting).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(timers).toEqual([]);
  });

  it("has no deadline where the limit is 0", async () => {
    const gate = createQueryGate(limits, clock);

    await gate
      .run(() => Promise.resolve(timers.length), TENANT, undefined)
      .then((count) => expect(count).toBe(0));
  });
});
