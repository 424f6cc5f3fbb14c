import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** What is known of a value that comes over the network. `stale` is the answer before the one being waited for. */
export type ResourceState<T> =
  | { readonly kind: "idle" }
  | { readonly kind: "loading"; readonly stale: T | undefined }
  | { readonly kind: "ready"; readonly value: T }
  | { readonly kind: "failed"; readonly error: Error; readonly stale: T | undefined };

/** The newest value of a resource, fresh or stale. */
export function latest<T>(state: ResourceState<T>): T | undefined {
  switch (state.kind) {
    case "idle":
      return undefined;
    case "ready":
      return state.value;
    case "loading":
    case "failed":
      return state.stale;
  }
}

// Enough for going back and forth between the ranges of one session; a tree of 8,192 nodes is under 1 MB.
const CACHE_ENTRY_COUNT = 24;

/**
 * One value that follows a key: asking for another key aborts the request under way, so that an old answer
 * never replaces a newer one. While a new answer is awaited the last one stays visible as stale.
 */
export class Resource<T> {
  readonly #state: Signal<ResourceState<T>> = signal<ResourceState<T>>({ kind: "idle" });
  readonly #cache = new Map<string, T>();
  #key: string | undefined;
  #abort: AbortController | undefined;

  /** The value and how it is getting on. */
  get state(): ReadonlySignal<ResourceState<T>> {
    return this.#state;
  }

  /**
   * Makes the resource follow `key`. The same key again does nothing, unless the last try failed.
   *
   * @param load - Asks the server; must pass the signal on.
   */
  request(key: string, load: (signal: AbortSignal) => Promise<T>): void {
    if (key === this.#key && this.#state.peek().kind !== "failed") return;
    this.#key = key;
    this.#abort?.abort();
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#remember(key, cached);
      this.#state.value = { kind: "ready", value: cached };
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#state.value = { kind: "loading", stale: latest(this.#state.peek()) };
    load(abort.signal).then(
      (value) => {
        if (abort.signal.aborted) return;
        this.#remember(key, value);
        this.#state.value = { kind: "ready", value };
      },
      (cause: unknown) => {
        if (abort.signal.aborted) return;
        const error = cause instanceof Error ? cause : new Error(String(cause));
        this.#state.value = { kind: "failed", error, stale: latest(this.#state.peek()) };
      },
    );
  }

  /** Forgets the value and stops what is under way. */
  clear(): void {
    this.#abort?.abort();
    this.#key = undefined;
    this.#state.value = { kind: "idle" };
  }

  #remember(key: string, value: T): void {
    // A Map iterates in order of insertion: the first key is the one not used for longest.
    this.#cache.delete(key);
    this.#cache.set(key, value);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= CACHE_ENTRY_COUNT) break;
      this.#cache.delete(oldest);
    }
  }
}
