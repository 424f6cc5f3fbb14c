import { describe, expect, it } from "vitest";
import { FairQueue } from "./fair-queue.ts";

/** A queue of items such as `a1`, whose owner is the letter. */
function queueOf(...items: readonly string[]): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const item of items) queue.add(item.charAt(0), item);
  return queue;
}

function drain(queue: FairQueue<string>): readonly string[] {
  const taken: string[] = [];
  for (let item = queue.takeNext(); item !== undefined; item = queue.takeNext()) taken.push(item);
  return taken;
}

describe("FairQueue", () => {
  it("lets owners take turns, each with its oldest first", () => {
    const queue = queueOf("a1", "a2", "a3", "b1", "c1", "c2");

    expect(queue.length).toBe(6);
    expect(drain(queue)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
    expect(queue.length).toBe(0);
  });

  it("gives a newcomer its turn before those who had theirs", () => {
    const queue = queueOf("a1", "a2", "a3");

    expect(queue.takeNext()).toBe("a1");
    queue.add("b", "b1");

    expect(drain(queue)).toEqual(["a2", "b1", "a3"]);
  });

  it("forgets what is removed", () => {
    const queue = queueOf("a1", "b1", "a2");

    queue.remove("a", "a1");
    queue.remove("b", "b1");
    queue.remove("b", "b1");
    queue.remove("c", "a2");

    expect(queue.length).toBe(1);
    expect(drain(queue)).toEqual(["a2"]);
  });

  it("makes room at the cost of the longest line, its newest first", () => {
    const queue = queueOf("a1", "a2", "a3", "b1");

    expect(queue.takeForRoom("b")).toBe("a3");
    expect(queue.length).toBe(3);
    expect(drain(queue)).toEqual(["a1", "b1", "a2"]);
  });

  it.for([
    ["the owner's own line is the longest", ["a1", "a2", "b1"], "a"],
    ["the owner's line would become as long as the longest", ["a1", "a2", "b1"], "b"],
    ["every line is as short as can be", ["a1", "b1"], "c"],
    ["nobody waits", [], "a"],
  ] as const)("makes none when %s", ([, items, owner]) => {
    const queue = queueOf(...items);

    expect(queue.takeForRoom(owner)).toBeUndefined();
    expect(queue.length).toBe(items.length);
  });
});
