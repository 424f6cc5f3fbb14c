import { describe, expect, it } from "vitest";
import { ReceiverError } from "../errors.ts";
import type { Answer } from "./query-service.ts";
import { SharedRuns } from "./shared-runs.ts";

/** A query that waits until the test lets it begin, and then until it lets it end. */
class HeldQuery {
  count = 0;
  signal: AbortSignal | undefined;
  begin: () => void = () => undefined;
  end: (value: unknown) => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;

  readonly start = (signal: AbortSignal, begin: () => void): Promise<Answer<unknown>> => {
    this.count++;
    this.signal = signal;
    this.begin = begin;
    return new Promise((resolve, reject) => {
      this.end = (value) => resolve({ value, missingBlocks: [], resolution: "raw" });
      this.fail = reject;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe("SharedRuns", () => {
  it("gives everybody who waits one answer, each with buffers of his own", async () => {
    const [runs, query] = [new SharedRuns(), new HeldQuery()];
    const answers = [0, 1, 2].map(() => runs.run("a", query.start, undefined));
    await settle();
    query.begin();
    query.end({ values: Float64Array.of(1, 2), names: ["x"] });

    const got = (await Promise.all(answers)) as Answer<{ values: Float64Array }>[];
    expect([query.count, runs.joinedCount]).toEqual([1, 2]);
    structuredClone(got[0], { transfer: [got[0]!.value.values.buffer as ArrayBuffer] });
    expect(got.slice(1).map(({ value }) => value)).toEqual(
      Array(2).fill({ values: Float64Array.of(1, 2), names: ["x"] }),
    );
  });

  it("joins nobody to a query that has begun, or to another one", async () => {
    const [runs, query, later, other] = [new SharedRuns(), new HeldQuery(), new HeldQuery(), new HeldQuery()];
    const first = runs.run("a", query.start, undefined);
    await settle();
    query.begin();
    const second = runs.run("a", later.start, undefined);
    const third = runs.run("b", other.start, undefined);
    await settle();
    query.end(1);
    later.end(2);
    other.end(3);

    const answers = await Promise.all([first, second, third]);
    expect(answers.map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(runs.joinedCount).toBe(0);
  });

  it("goes on while somebody waits, and ends with the last", async () => {
    const [runs, query, next] = [new SharedRuns(), new HeldQuery(), new HeldQuery()];
    const clients = [new AbortController(), new AbortController()] as const;
    const [first, second] = clients.map(({ signal }) => runs.run("a", query.start, signal));
    const [firstEnd, secondEnd] = [first, second].map((run) => run?.catch((error: unknown) => error));
    await settle();

    clients[0].abort();
    expect(await firstEnd).toMatchObject({ code: "CANCELLED" });
    expect(query.signal?.aborted).toBe(false);
    const third = runs.run("a", next.start, undefined);
    const thirdEnd = third.catch((error: unknown) => error);
    clients[1].abort();
    expect(await secondEnd).toMatchObject({ code: "CANCELLED" });
    expect([query.signal?.aborted, query.count, next.count]).toEqual([false, 1, 0]);
    query.end(7);
    expect(await thirdEnd).toMatchObject({ value: 7 });

    const last = new AbortController();
    const alone = runs.run("a", query.start, last.signal).catch((error: unknown) => error);
    await settle();
    last.abort(new Error("gone"));
    expect(await alone).toMatchObject({ message: "gone" });
    // Nobody joins what is about to end.
    const fresh = runs.run("a", next.start, undefined);
    await settle();
    next.end(8);
    expect((await fresh).value).toBe(8);
  });

  it("leaves who came late the time that he has", async () => {
    const [runs, query] = [new SharedRuns(), new HeldQuery()];
    const first = runs.run("a", query.start, undefined).catch((error: unknown) => error);
    await settle();
    const late = runs.run("a", query.start, undefined);
    query.fail(new ReceiverError("too late", { code: "DEADLINE_EXCEEDED" }));
    expect(await first).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await settle();
    expect(query.count).toBe(2);
    query.end(5);

    expect((await late).value).toBe(5);
  });

  it("tells all that wait of a refusal, and begins anew after it", async () => {
    const [runs, query] = [new SharedRuns(), new HeldQuery()];
    const waiting = [0, 1].map(() => runs.run("a", query.start, undefined).catch((error: unknown) => error));
    await settle();
    query.fail(new ReceiverError("full", { code: "UNAVAILABLE" }));

    expect(await Promise.all(waiting)).toMatchObject([{ code: "UNAVAILABLE" }, { code: "UNAVAILABLE" }]);
    const next = runs.run("a", query.start, undefined);
    await settle();
    query.end(1);
    expect([(await next).value, query.count]).toEqual([1, 2]);
  });
});
