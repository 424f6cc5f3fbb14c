import { describe, expect, it } from "vitest";
import { ReceiverError } from "../../errors.ts";
import { createPushGate, type PushGate } from "./push-gate.ts";

const MAX_WAIT_MS = 1000;
/** A quarter of a second at 5 ms for each, which is what a gate believes before it has measured. */
const FIRST_ROOM = 50;

function createGate(maxWaitMs = MAX_WAIT_MS) {
  let nowMs = 0;
  const gate = createPushGate(maxWaitMs, { monotonicMillis: () => nowMs });
  const ends: (() => void)[] = [];
  const run = (tenant: string, profileCount: number) =>
    void gate.run(tenant, profileCount, () => new Promise<void>((resolve) => ends.push(resolve)));
  return {
    gate,
    pass: (millis: number) => {
      nowMs += millis;
    },
    /** Lets pushes in that have no answer until {@link answer}. */
    push: (count: number, tenant = "acme", profileCount = 1) => {
      for (let i = 0; i < count; i++) {
        gate.check(tenant);
        run(tenant, profileCount);
      }
    },
    /** Lets pushes in without a question. */
    hold: (count: number) => {
      for (let i = 0; i < count; i++) run("acme", 1);
    },
    answer: async (count: number) => {
      for (const end of ends.splice(0, count)) end();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function refusalOf(gate: PushGate, tenant = "acme"): ReceiverError | undefined {
  try {
    gate.check(tenant);
    return undefined;
  } catch (error) {
    if (error instanceof ReceiverError) return error;
    throw error;
  }
}

describe("createPushGate", () => {
  it("turns away what would wait longer than a quarter of the limit, and says so", async () => {
    const { gate, push, pass, answer } = createGate();

    push(FIRST_ROOM);
    pass(5);

    expect(refusalOf(gate)).toMatchObject({
      code: "UNAVAILABLE",
      retryAfterSeconds: 5,
      message:
        "50 profiles wait to be stored, the first for 5 ms, and one is stored every 5.0 ms: " +
        "another would wait too long, limit 1000 ms",
    });
    await answer(1);
    expect(refusalOf(gate)).toBeUndefined();
  });

  it("counts the profiles of a push, not the push", () => {
    // With room for twice as many.
    const { gate, push } = createGate(2 * MAX_WAIT_MS);

    push(FIRST_ROOM - 1, "acme", 2);
    expect(refusalOf(gate)).toBeUndefined();
    push(1, "acme", 2);
    expect(refusalOf(gate)).toBeDefined();
  });

  it("lets more wait where answers come faster, and fewer where they come slower", async () => {
    const fast = createGate();
    const slow = createGate();
    for (const [{ push, pass, answer }, millis] of [
      [fast, 1],
      [slow, 20],
    ] as const) {
      for (let i = 0; i < 1000; i++) {
        push(1);
        pass(millis);
        await answer(1);
      }
    }

    fast.push(200);
    expect(refusalOf(fast.gate)).toBeUndefined();
    // A quarter of a second at 20 ms each is 12: the 32 that may always wait are more.
    slow.push(31);
    expect(refusalOf(slow.gate)).toBeUndefined();
    slow.push(1);
    expect(refusalOf(slow.gate)).toBeDefined();
  });

  it("lets no more wait where answers come hundreds at once", async () => {
    const { gate, hold, pass, answer } = createGate();

    // As fast as it believes from the start: a batch takes as long as its profiles.
    for (let i = 0; i < 10; i++) {
      hold(500);
      pass(2500);
      await answer(500);
    }

    hold(FIRST_ROOM - 1);
    expect(refusalOf(gate)).toBeUndefined();
    hold(1);
    expect(refusalOf(gate)).toBeDefined();
  });

  it("learns nothing from the time in which nobody pushes", async () => {
    const { gate, push, pass, answer } = createGate();

    for (let i = 0; i < 1000; i++) {
      push(1);
      pass(5);
      await answer(1);
      pass(60_000);
    }
    push(FIRST_ROOM - 1);

    expect(refusalOf(gate)).toBeUndefined();
  });

  it("turns away everybody while the oldest has no answer for too long", async () => {
    const { gate, push, pass, answer } = createGate();

    push(32);
    pass(MAX_WAIT_MS);
    expect(refusalOf(gate)).toBeUndefined();
    pass(1);
    expect(refusalOf(gate)).toBeDefined();
    await answer(1);
    expect(refusalOf(gate)).toBeUndefined();
  });

  it("keeps room for tenants that push little beside one that pushes without end", () => {
    const { gate, push } = createGate();

    push(FIRST_ROOM, "loud");
    expect(refusalOf(gate, "loud")).toBeDefined();
    expect(refusalOf(gate, "quiet")).toBeUndefined();
    // Of two tenants each has half.
    push(FIRST_ROOM / 2, "quiet");
    expect(refusalOf(gate, "quiet")).toBeDefined();
  });

  it("lets everything wait without a limit", () => {
    const { gate, push, pass } = createGate(0);

    push(10_000);
    pass(3_600_000);

    expect(refusalOf(gate)).toBeUndefined();
  });

  it("counts a push that failed as answered", async () => {
    const { gate } = createGate();

    const failed = Array.from({ length: FIRST_ROOM }, () =>
      gate.run("acme", 1, () => Promise.reject(new Error("the storage thread is gone"))),
    );
    expect(refusalOf(gate)).toBeDefined();
    expect((await Promise.allSettled(failed)).every(({ status }) => status === "rejected")).toBe(true);

    expect(refusalOf(gate)).toBeUndefined();
  });
});
