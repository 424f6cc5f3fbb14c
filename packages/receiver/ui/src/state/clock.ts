import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** What a {@link Clock} runs on. */
export interface ClockOptions {
  readonly now: () => number;
  readonly setInterval: (callback: () => void, delayMs: number) => number;
  readonly clearInterval: (id: number) => void;
  /** Whether nobody is looking: refreshing waits. */
  readonly isHidden: () => boolean;
}

/** The `now` of a page: it stands still between refreshes, so that all parts of a view show the same range. */
export class Clock {
  readonly #options: ClockOptions;
  readonly #nowMs: Signal<number>;
  #timer: number | undefined;

  constructor(options: ClockOptions) {
    this.#options = options;
    this.#nowMs = signal(options.now());
  }

  /** Milliseconds since the epoch at the last refresh. */
  get nowMs(): ReadonlySignal<number> {
    return this.#nowMs;
  }

  /** Reads the time again: whatever is relative to now is asked for anew. */
  refresh(): void {
    this.#nowMs.value = this.#options.now();
  }

  /** Refreshes every `seconds` while the page is looked at; 0 stops. */
  refreshEvery(seconds: number): void {
    if (this.#timer !== undefined) this.#options.clearInterval(this.#timer);
    this.#timer = undefined;
    if (seconds <= 0) return;
    this.#timer = this.#options.setInterval(() => {
      if (!this.#options.isHidden()) this.refresh();
    }, seconds * 1000);
  }
}
