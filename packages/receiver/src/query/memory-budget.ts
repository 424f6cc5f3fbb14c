/** Memory that running queries share: who needs more than is free waits until others have ended, in order. */
export class MemoryBudget {
  readonly #totalBytes: number;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  #usedBytes = 0;

  /** @param totalBytes - 0: without end. */
  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /**
   * Takes bytes; one who wants more than there is in all waits until nobody has any.
   *
   * @returns what gives them back; a second call does nothing.
   * @throws the signal's reason when it fires before.
   */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    // Nobody overtakes: a large one would never have its turn.
    if (this.#waiting.length === 0 && this.#fits(bytes)) this.#usedBytes += bytes;
    else await this.#wait(bytes, signal);
    let isGivenBack = false;
    return () => {
      if (isGivenBack) return;
      isGivenBack = true;
      this.#usedBytes -= bytes;
      this.#wake();
    };
  }

  #fits(bytes: number): boolean {
    return this.#totalBytes === 0 || this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#totalBytes;
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        bytes,
        enter: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
        // It may have stood before smaller ones.
        this.#wake();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#usedBytes += next.bytes;
      next.enter();
    }
  }
}
