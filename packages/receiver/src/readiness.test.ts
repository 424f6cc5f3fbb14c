import { describe, expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { storageStatus } from "./testing/storage-status.ts";
import type { StorageStatus } from "./worker/storage-service.ts";

/** A clock whose time and timers the test moves. */
class TestClock implements Pick<Clock, "monotonicMillis" | "setTimer"> {
  #now = 0;
  #timers: { readonly at: number; readonly fn: () => void }[] = [];

  monotonicMillis(): number {
    return this.#now;
  }

  setTimer(fn: () => void, delayMillis: number): { cancel(): void } {
    const timer = { at: this.#now + delayMillis, fn };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  async advance(millis: number): Promise<void> {
    this.#now += millis;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { fn } of due) fn();
    await settle();
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const healthy = storageStatus({ blockCount: 4, headRowCount: 1 });

interface Fixture {
  readonly clock: TestClock;
  readonly readiness: Readiness;
  finishReplay(): Promise<void>;
  failReplay(): Promise<void>;
  answer: () => Promise<StorageStatus>;
}

function createFixture(): Fixture {
  const clock = new TestClock();
  let finish: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const replay = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const fixture: Fixture = {
    clock,
    answer: async () => healthy,
    readiness: createReadiness({
      clock,
      storage: { ready: () => replay, status: () => fixture.answer() },
    }),
    async finishReplay() {
      finish();
      await settle();
    },
    async failReplay() {
      fail(new Error("the disk is gone"));
      await settle();
    },
  };
  return fixture;
}

describe("createReadiness", () => {
  it("is not ready, and serves nothing, until the replay is complete", async () => {
    const { readiness, finishReplay } = createFixture();

    expect(readiness.reasons).toEqual(["storage: the write-ahead log is being replayed"]);
    expect(() => readiness.checkServing()).toThrow(
      expect.objectContaining({ code: "UNAVAILABLE", message: "the server is starting" }),
    );
    await finishReplay();

    expect(readiness.reasons).toEqual([]);
    expect(readiness.checkServing()).toBeUndefined();
    expect(readiness.storage).toBe(healthy);
  });

  it("stays not ready when the storage cannot be opened", async () => {
    const { readiness, failReplay } = createFixture();

    await failReplay();

    expect(readiness.reasons).toHaveLength(1);
  });

  it("is not ready while the disk takes no writes, but serves: queries go on", async () => {
    const fixture = createFixture();
    const { readiness, clock, finishReplay } = fixture;
    await finishReplay();

    fixture.answer = async () => ({ ...healthy, takesWrites: false });
    await clock.advance(1000);

    expect(readiness.reasons).toEqual(["storage: the disk does not take writes"]);
    expect(readiness.checkServing()).toBeUndefined();

    fixture.answer = async () => healthy;
    await clock.advance(1000);
    expect(readiness.reasons).toEqual([]);
  });

  it("is not ready when the storage has been silent for too long, and asks it once at a time", async () => {
    const fixture = createFixture();
    const { readiness, clock, finishReplay } = fixture;
    await finishReplay();
    let askedCount = 0;
    fixture.answer = () => {
      askedCount++;
      return new Promise(() => undefined);
    };

    for (let second = 0; second < 15; second++) await clock.advance(1000);
    expect(readiness.reasons).toEqual([]);
    await clock.advance(1000);

    expect(readiness.reasons).toEqual(["storage: no answer for 16 s"]);
    expect(askedCount).toBe(1);
  });

  it("goes on asking after a question that failed", async () => {
    const fixture = createFixture();
    const { readiness, clock, finishReplay } = fixture;
    await finishReplay();
    fixture.answer = () => Promise.reject(new Error("gone"));
    await clock.advance(1000);

    fixture.answer = async () => ({ ...healthy, blockCount: 5 });
    await clock.advance(1000);

    expect(readiness.storage?.blockCount).toBe(5);
  });

  it("is not ready, serves nothing and asks nothing when the server stops", async () => {
    const { readiness, clock, finishReplay } = createFixture();
    await finishReplay();

    readiness.stop();

    expect(readiness.reasons).toEqual(["the server is stopping"]);
    expect(() => readiness.checkServing()).toThrow("the server is stopping");
    expect(clock.timerCount).toBe(0);
  });
});
