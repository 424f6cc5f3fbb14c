import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { formatViewState, isHistoryStep, parseViewState, type ViewState } from "./url-state.ts";

/** The part of `window` that a navigation uses. */
export interface NavigationWindow {
  readonly location: { readonly search: string; readonly pathname: string; readonly origin: string };
  readonly history: {
    pushState(data: null, unused: string, url: string): void;
    replaceState(data: null, unused: string, url: string): void;
  };
  addEventListener(type: "popstate", listener: () => void): void;
}

/**
 * The view, kept in the address bar. Pages differ only in the query string, so the application needs no routes of its
 * own on the server and works under any path.
 */
export class Navigation {
  readonly #window: NavigationWindow;
  readonly #view: Signal<ViewState>;

  constructor(window: NavigationWindow) {
    this.#window = window;
    this.#view = signal(parseViewState(window.location.search));
    window.addEventListener("popstate", () => {
      this.#view.value = parseViewState(window.location.search);
    });
  }

  /** What the page shows. */
  get view(): ReadonlySignal<ViewState> {
    return this.#view;
  }

  /** Shows something else. Typing and sorting replace the current history entry, the rest can be gone back from. */
  go(change: Partial<ViewState>): void {
    const before = this.#view.peek();
    const after = { ...before, ...change };
    if (isHistoryStep(before, after)) this.#window.history.pushState(null, "", formatViewState(after));
    else this.#window.history.replaceState(null, "", formatViewState(after));
    this.#view.value = after;
  }

  /** Fills in what the link left open, without a step in the history. */
  settle(change: Partial<ViewState>): void {
    const after = { ...this.#view.peek(), ...change };
    this.#window.history.replaceState(null, "", formatViewState(after));
    this.#view.value = after;
  }

  /** Address of the view after a change, for links. */
  href(change: Partial<ViewState>): string {
    return formatViewState({ ...this.#view.value, ...change });
  }

  /** The whole address of a view, to be sent to somebody. */
  permalink(view: ViewState): string {
    const { origin, pathname } = this.#window.location;
    return `${origin}${pathname}${formatViewState(view)}`;
  }
}
