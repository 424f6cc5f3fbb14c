import { describe, expect, it } from "vitest";
import { MemoryBudget } from "./memory-budget.ts";

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const signal = new AbortController().signal;

/** Takes bytes, and notes the name once it has them. */
function take(budget: MemoryBudget, bytes: number, name: string, had: string[], by = signal) {
  const taken = budget.take(bytes, by);
  taken.then(
    () => had.push(name),
    () => had.push(`${name} left`),
  );
  return taken;
}

describe("MemoryBudget", () => {
  it("gives what is free, and lets nobody overtake who waits for more", async () => {
    const [budget, had] = [new MemoryBudget(10), [] as string[]];
    const first = await take(budget, 6, "a", had);
    const second = await take(budget, 4, "b", had);
    void take(budget, 7, "c", had);
    void take(budget, 1, "d", had);
    await settle();
    expect(had).toEqual(["a", "b"]);

    second();
    second();
    await settle();
    expect(had).toEqual(["a", "b"]);
    first();
    await settle();
    expect(had).toEqual(["a", "b", "c", "d"]);
  });

  it("gives one who wants more than all of it everything, when nobody has any", async () => {
    const [budget, had] = [new MemoryBudget(10), [] as string[]];
    const first = await take(budget, 1, "a", had);
    void take(budget, 11, "b", had);
    await settle();
    expect(had).toEqual(["a"]);
    first();
    await settle();
    expect(had).toEqual(["a", "b"]);
  });

  it("goes on when one leaves who waits, and takes nobody in who has left", async () => {
    const [budget, had, client] = [new MemoryBudget(10), [] as string[], new AbortController()];
    await take(budget, 5, "a", had);
    void take(budget, 9, "b", had, client.signal);
    void take(budget, 5, "c", had);
    client.abort();
    await settle();

    expect(had.toSorted()).toEqual(["a", "b left", "c"]);
    await expect(budget.take(1, client.signal)).rejects.toThrow();
  });

  it("has no end at 0", async () => {
    const budget = new MemoryBudget(0);
    await budget.take(2 ** 40, signal);
    await budget.take(2 ** 40, signal);
  });
});
