/** A map of bounded size: what was not asked for longest goes when there is no room. */
export class RecentMap<Key, Value> {
  readonly #maxSize: number;
  // A Map keeps the order in which keys were set.
  readonly #values = new Map<Key, Value>();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The value of a key, which is now the latest; a new one when there is none. */
  use(key: Key, create: () => Value): Value {
    const value = this.#values.get(key) ?? create();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#maxSize) {
      const [oldest] = this.#values.keys();
      this.#values.delete(oldest as Key);
    }
    return value;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  /** Latest last. */
  values(): IterableIterator<Value> {
    return this.#values.values();
  }
}
