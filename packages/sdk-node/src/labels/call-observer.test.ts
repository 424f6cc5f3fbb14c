import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { CallAccounts } from "./call-accounts.ts";
import { CallObserver } from "./call-observer.ts";
import { StorageLabelContext } from "./label-context.ts";
import { LabelSets } from "./label-set.ts";
import { toContext } from "./sample-context.ts";

const sets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
const context = toContext(sets.merge(sets.empty, { route: "/a" }));

function createObserver() {
  const clock = new ManualClock();
  const accounts = new CallAccounts();
  const errors: unknown[] = [];
  const labels = new StorageLabelContext();
  const observer = new CallObserver({
    clock,
    accounts,
    onLabels: () => undefined,
    onError: (error) => void errors.push(error),
  });
  const call = <T>(fn: () => T): T => observer.observeCall(labels, context, fn, []);
  return { clock, accounts, errors, labels, call };
}

describe("CallObserver", () => {
  it("counts a call until it returns, with its labels, and gives what it gives", () => {
    const { accounts, labels, call, errors } = createObserver();
    const result = {};

    expect(call(() => ({ result, current: labels.current() }))).toEqual({ result, current: context });

    expect(accounts.take(0)).toMatchObject([{ labels: context.labels, callCount: 1 }]);
    expect(labels.current()).toBeUndefined();
    expect(errors).toEqual([]);
  });

  it("counts an asynchronous call until its promise is settled", async () => {
    const { accounts, clock, call } = createObserver();
    let answer: (value: string) => void = () => undefined;
    const pending = call(
      () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        }),
    );
    await clock.advance(40);
    expect(accounts.take(clock.nowMonotonicMs())).toMatchObject([{ callCount: 0, openMs: 40 }]);

    answer("done");

    expect(await pending).toBe("done");
    expect(accounts.take(clock.nowMonotonicMs())).toMatchObject([{ callCount: 1, elapsedMs: 40, openMs: 0 }]);
  });

  it("hands on what is thrown, and says it", () => {
    const { accounts, errors, call } = createObserver();
    const error = new Error("no stock");

    expect(() =>
      call(() => {
        throw error;
      }),
    ).toThrow(error);

    expect(errors).toEqual([error]);
    expect(accounts.take(0)).toMatchObject([{ callCount: 1 }]);
  });

  it("hands on a rejection, and says it", async () => {
    const { errors, call } = createObserver();
    const error = new Error("no stock");

    await expect(call(() => Promise.reject(error))).rejects.toBe(error);

    expect(errors).toEqual([error]);
  });

  it("leaves a rejection that nobody handles unhandled", async () => {
    const { call } = createObserver();
    const error = new Error("nobody handles this");
    const unhandled = new Promise<unknown>((resolve) => {
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.once("unhandledRejection", (reason) => {
        for (const listener of others) process.on("unhandledRejection", listener);
        resolve(reason);
      });
    });

    void call(() => Promise.reject(error));

    expect(await unhandled).toBe(error);
  });

  it("gives promises of a library as they are: they may have methods of their own", () => {
    const { call } = createObserver();
    class Query extends Promise<number> {}
    const query = Query.resolve(1);
    const withKill = Object.assign(Promise.resolve(1), { kill: () => undefined });

    expect(call(() => query)).toBe(query);
    expect(call(() => withKill)).toBe(withKill);
  });
});
