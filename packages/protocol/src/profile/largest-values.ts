/** The largest of the numbers that were added, so many at most: a heap whose top is the least of them. */
export class LargestValues {
  readonly #capacity: number;
  readonly #heap: number[] = [];
  #isOver = false;

  /** @param capacity - at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether there were more numbers than these. */
  get isFull(): boolean {
    return this.#isOver;
  }

  /** The least of them. */
  get least(): number {
    return this.#heap[0]!;
  }

  add(value: number): void {
    const heap = this.#heap;
    if (heap.length < this.#capacity) {
      let at = heap.push(value) - 1;
      for (let up = (at - 1) >> 1; at > 0 && heap[up]! > value; at = up, up = (at - 1) >> 1) {
        heap[at] = heap[up]!;
      }
      heap[at] = value;
      return;
    }
    this.#isOver = true;
    if (value <= heap[0]!) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && heap[down + 1]! < heap[down]!) down++;
      if (heap[down]! >= value) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = value;
  }
}
