import { describe, expect, it } from "vitest";
import { ManualClock } from "../store/testing/manual-clock.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { ForwardedPush } from "./forwarded-push.ts";
import { createForwarder, type Forwarder } from "./forwarder.ts";
import type { SendOutcome } from "./send-push.ts";

const TAKEN: SendOutcome = { kind: "taken" };
const REFUSED: SendOutcome = { kind: "refused", message: "400 bad" };
const AWAY: SendOutcome = { kind: "failed", message: "connect ECONNREFUSED", retryAfterMs: undefined };

interface Bench {
  readonly forwarder: Forwarder;
  readonly clock: ManualClock;
  /** Paths in the order in which they were sent. */
  readonly sent: string[];
  readonly lines: string[];
  /** Answers the oldest send that has no answer. */
  readonly answer: (outcome: SendOutcome) => Promise<void>;
  readonly outcomes: () => Promise<Readonly<Record<string, number>>>;
}

function createBench(maxWaitingBytes = 100): Bench {
  const clock = new ManualClock(0);
  const { metrics } = createMetrics({ isProcessIncluded: false });
  const sent: string[] = [];
  const lines: string[] = [];
  const open: ((outcome: SendOutcome) => void)[] = [];
  const forwarder = createForwarder({
    send: (push) => {
      sent.push(push.path);
      return new Promise((resolve) => open.push(resolve));
    },
    maxWaitingBytes,
    clock,
    metrics,
    log: {
      warn: (_fields: unknown, text: string) => lines.push(text),
      info: (text: string) => lines.push(text),
    } as never,
  });
  return {
    forwarder,
    clock,
    sent,
    lines,
    async answer(outcome) {
      open.shift()?.(outcome);
      await settle();
    },
    async outcomes() {
      const { values } = await metrics.forwardedPushes.get();
      return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
    },
  };
}

/** Lets everything that is due run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const push = (path: string, size = 10): ForwardedPush => ({
  tenant: "anonymous",
  path,
  contentType: "application/proto",
  body: new Uint8Array(size),
});

describe("createForwarder", () => {
  it("sends what it is given and forgets it", async () => {
    const { forwarder, sent, answer, outcomes } = createBench();

    forwarder.add(push("/a"));
    await answer(TAKEN);

    expect(sent).toEqual(["/a"]);
    expect(forwarder.waitingBytes).toBe(0);
    expect(await outcomes()).toEqual({ sent: 1 });
  });

  it("sends four at once; further ones wait for one of them", async () => {
    const { forwarder, sent, answer } = createBench();

    for (const path of ["/1", "/2", "/3", "/4", "/5"]) forwarder.add(push(path));
    expect(sent).toEqual(["/1", "/2", "/3", "/4"]);
    await answer(TAKEN);

    expect(sent).toEqual(["/1", "/2", "/3", "/4", "/5"]);
  });

  it("drops the oldest that waits when there is no more room, and counts it", async () => {
    const { forwarder, sent, answer, outcomes } = createBench(60);

    for (const path of ["/1", "/2", "/3", "/4", "/5", "/6"]) forwarder.add(push(path));
    expect(await outcomes()).toEqual({});
    forwarder.add(push("/7"));
    await answer(TAKEN);

    expect(await outcomes()).toEqual({ dropped: 1, sent: 1 });
    expect(sent.at(-1)).toBe("/6");
    expect(forwarder.waitingBytes).toBe(50);
  });

  it("keeps what is on its way, and drops the new one, when all room is taken by it", async () => {
    const { forwarder, outcomes } = createBench(40);

    for (const path of ["/1", "/2", "/3", "/4", "/5"]) forwarder.add(push(path));

    expect(await outcomes()).toEqual({ dropped: 1 });
    expect(forwarder.waitingBytes).toBe(40);
  });

  it("takes a push as large as the room, and drops a larger one", async () => {
    const { forwarder, sent, outcomes } = createBench(10);

    forwarder.add(push("/larger", 11));
    forwarder.add(push("/fits", 10));

    expect(sent).toEqual(["/fits"]);
    expect(await outcomes()).toEqual({ dropped: 1 });
  });

  it("does not send again what is refused", async () => {
    const { forwarder, clock, sent, answer, outcomes } = createBench();

    forwarder.add(push("/a"));
    await answer(REFUSED);
    clock.advance(60_000);
    await settle();

    expect(sent).toEqual(["/a"]);
    expect(await outcomes()).toEqual({ refused: 1 });
  });

  it("tries again after a while that doubles, or that the server names", async () => {
    const { forwarder, clock, sent, answer } = createBench();
    const passes = async (millis: number): Promise<number> => {
      clock.advance(millis);
      await settle();
      return sent.length;
    };

    forwarder.add(push("/a"));
    await answer(AWAY);
    expect(await passes(499)).toBe(1);
    expect(await passes(1)).toBe(2);
    await answer(AWAY);
    expect(await passes(999)).toBe(2);
    expect(await passes(1)).toBe(3);
    await answer({ ...AWAY, retryAfterMs: 7000 });
    expect(await passes(6999)).toBe(3);
    expect(await passes(1)).toBe(4);
  });

  it("waits five minutes at most, whatever the server asks for", async () => {
    const { forwarder, clock, sent, answer } = createBench();

    forwarder.add(push("/a"));
    await answer({ ...AWAY, retryAfterMs: 999_999_000 });
    clock.advance(299_999);
    await settle();
    expect(sent).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(sent).toHaveLength(2);
  });

  it("gives a push up after twelve tries", async () => {
    const { forwarder, clock, sent, answer, outcomes } = createBench();

    forwarder.add(push("/a"));
    for (let tries = 0; tries < 20; tries++) {
      await answer(AWAY);
      clock.advance(60_000);
      await settle();
    }

    expect(sent).toHaveLength(12);
    expect(await outcomes()).toEqual({ failed: 1 });
  });

  it("says once that the server is away, and once that it is back", async () => {
    const { forwarder, clock, lines, answer } = createBench();

    for (const path of ["/a", "/b"]) forwarder.add(push(path));
    await answer(AWAY);
    await answer(AWAY);
    clock.advance(500);
    await settle();
    await answer(TAKEN);
    await answer(TAKEN);

    expect(lines).toEqual([
      "pushes cannot be forwarded; they wait, and the oldest are dropped",
      "pushes are forwarded again",
    ]);
  });

  it("repeats no refusal of the same text", async () => {
    const { forwarder, lines, answer } = createBench();

    for (const path of ["/a", "/b", "/c"]) forwarder.add(push(path));
    await answer(REFUSED);
    await answer(REFUSED);
    await answer({ kind: "refused", message: "401 no token" });

    expect(lines).toHaveLength(2);
  });

  it("sends what waits before it stops, each for a last time, and takes nothing more", async () => {
    const { forwarder, sent, answer, outcomes } = createBench();

    for (const path of ["/1", "/2", "/3", "/4", "/5"]) forwarder.add(push(path));
    await answer(AWAY);
    const stopped = forwarder.stop(10_000);
    forwarder.add(push("/late"));
    await settle();
    expect(sent).toEqual(["/1", "/2", "/3", "/4", "/1"]);
    for (const outcome of [TAKEN, TAKEN, TAKEN, AWAY, TAKEN]) await answer(outcome);
    await stopped;

    expect(await outcomes()).toEqual({ dropped: 1, sent: 4, failed: 1 });
    expect(forwarder.waitingBytes).toBe(0);
  });

  it("stops in the time it is given, and counts what it did not send", async () => {
    const { forwarder, clock, outcomes } = createBench();

    for (const path of ["/1", "/2", "/3", "/4", "/5"]) forwarder.add(push(path));
    const stopped = forwarder.stop(1000);
    clock.advance(1000);
    await stopped;

    expect(await outcomes()).toEqual({ dropped: 1 });
  });
});
