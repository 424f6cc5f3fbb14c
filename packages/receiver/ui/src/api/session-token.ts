import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

const STORAGE_KEY = "pyroscope-read-token";

/** The read token of this tab, and whether the receiver asked for one. Forgotten when the tab closes. */
export class SessionToken {
  readonly #storage: Storage;
  readonly #isWanted: Signal<boolean> = signal(false);
  readonly #revision: Signal<number> = signal(0);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Whether the receiver refused a request for want of a token. */
  get isWanted(): ReadonlySignal<boolean> {
    return this.#isWanted;
  }

  /** Counts the tokens that were entered: what was asked without one is asked again. */
  get revision(): ReadonlySignal<number> {
    return this.#revision;
  }

  /** The token, or "". */
  read(): string {
    return this.#storage.getItem(STORAGE_KEY) ?? "";
  }

  /** Asks the reader for a token. */
  want(): void {
    this.#isWanted.value = true;
  }

  /** Takes the token that the reader entered. */
  enter(token: string): void {
    this.#storage.setItem(STORAGE_KEY, token.trim());
    this.#isWanted.value = false;
    this.#revision.value++;
  }

  /** The reader does not have one now; the next refusal asks again. */
  dismiss(): void {
    this.#isWanted.value = false;
  }
}
