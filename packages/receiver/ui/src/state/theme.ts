import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Scheme } from "../draw/skin.ts";

const STORAGE_KEY = "pyroscope-theme";

/** What a {@link Theme} reads and changes of its page. */
export interface ThemeOptions {
  readonly storage: Storage;
  readonly root: HTMLElement;
  readonly prefersDark: MediaQueryList;
}

/** Light or dark: the reader's choice if there is one, else what the system says. */
export class Theme {
  readonly #options: ThemeOptions;
  readonly #scheme: Signal<Scheme>;

  constructor(options: ThemeOptions) {
    this.#options = options;
    this.#scheme = signal(this.#resolve());
    options.prefersDark.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  /** The scheme in force. */
  get scheme(): ReadonlySignal<Scheme> {
    return this.#scheme;
  }

  /** Chooses the other scheme and remembers it. */
  toggle(): void {
    this.#options.storage.setItem(STORAGE_KEY, this.#scheme.peek() === "dark" ? "light" : "dark");
    this.#apply();
  }

  #resolve(): Scheme {
    const chosen = this.#options.storage.getItem(STORAGE_KEY);
    if (chosen === "light" || chosen === "dark") return chosen;
    return this.#options.prefersDark.matches ? "dark" : "light";
  }

  #apply(): void {
    const scheme = this.#resolve();
    this.#options.root.dataset.theme = scheme;
    this.#scheme.value = scheme;
  }
}
