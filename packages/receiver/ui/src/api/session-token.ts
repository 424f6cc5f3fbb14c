import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

const STORAGE_KEY = "pyroscope-read-token";

/** Why a token is asked for: none was sent, the receiver does not know the one that was, or it may not read. */
export type TokenRefusal = "missing" | "unknown" | "forbidden";

/** The read token of this tab, and whether the receiver asked for one. Forgotten when the tab closes. */
export class SessionToken {
  readonly #storage: Storage;
  readonly #refusal: Signal<TokenRefusal | undefined> = signal<TokenRefusal | undefined>(undefined);
  readonly #revision: Signal<number> = signal(0);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Why the reader is asked for a token; undefined while nobody asks. */
  get refusal(): ReadonlySignal<TokenRefusal | undefined> {
    return this.#refusal;
  }

  /** Counts the tokens that were entered: what was asked without one is asked again. */
  get revision(): ReadonlySignal<number> {
    return this.#revision;
  }

  /** The token, or "". */
  read(): string {
    return this.#storage.getItem(STORAGE_KEY) ?? "";
  }

  /**
   * Asks the reader for a token. One that was refused is forgotten; the first reason stays until it is answered, since
   * requests that follow it go without a token.
   */
  want(refusal: TokenRefusal): void {
    if (refusal !== "missing") this.#storage.removeItem(STORAGE_KEY);
    this.#refusal.value ??= refusal;
  }

  /** Takes the token that the reader entered. */
  enter(token: string): void {
    this.#storage.setItem(STORAGE_KEY, token.trim());
    this.#refusal.value = undefined;
    this.#revision.value++;
  }

  /** The reader does not have one now; the next refusal asks again. */
  dismiss(): void {
    this.#refusal.value = undefined;
  }
}
