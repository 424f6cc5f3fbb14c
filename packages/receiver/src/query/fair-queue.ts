/** Who waits, by owner: owners take turns, and what one owner waits for is served oldest first. */
export class FairQueue<Item> {
  // Insertion order is the order of turns: the owner that had its turn goes to the end.
  readonly #queues = new Map<string, Item[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Puts an item at the end of its owner's line. */
  add(owner: string, item: Item): void {
    const queue = this.#queues.get(owner);
    if (queue === undefined) this.#queues.set(owner, [item]);
    else queue.push(item);
    this.#length += 1;
  }

  /** Takes the oldest item of the owner whose turn it is; undefined: nobody waits. */
  takeNext(): Item | undefined {
    for (const [owner, queue] of this.#queues) {
      const item = queue.shift();
      this.#queues.delete(owner);
      if (queue.length > 0) this.#queues.set(owner, queue);
      this.#length -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes an item out of the line; nothing happens when it is not in it. */
  remove(owner: string, item: Item): void {
    const queue = this.#queues.get(owner);
    const index = queue?.indexOf(item) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(owner);
    this.#length -= 1;
  }

  /**
   * Makes room for one item of an owner at the cost of the owner with the longest line: takes the newest item out of
   * that.
   *
   * @returns what lost its place; undefined when no line is longer than the owner's would become.
   */
  takeForRoom(owner: string): Item | undefined {
    let longest: [owner: string, queue: Item[]] | undefined;
    for (const entry of this.#queues) {
      if (longest === undefined || entry[1].length > longest[1].length) longest = entry;
    }
    const ownLength = this.#queues.get(owner)?.length ?? 0;
    if (longest === undefined || longest[1].length <= ownLength + 1) return undefined;
    const item = longest[1].at(-1);
    if (item !== undefined) this.remove(longest[0], item);
    return item;
  }
}
