import { computed, type ReadonlySignal } from "@preact/signals";
import { type Context, createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ReceiverClient } from "../api/receiver-client.ts";
import type { SessionToken } from "../api/session-token.ts";
import type { Clock } from "../state/clock.ts";
import type { Navigation } from "../state/navigation.ts";
import type { Theme } from "../state/theme.ts";
import { type ResolvedRange, resolveRange } from "../state/time-range.ts";
import type { ViewState } from "../state/url-state.ts";

/** What `main` builds and every view may use. */
export interface App {
  readonly client: ReceiverClient;
  readonly token: SessionToken;
  readonly navigation: Navigation;
  readonly clock: Clock;
  readonly theme: Theme;
  /** The page's range; undefined while the address bar holds none that makes sense. */
  readonly range: ReadonlySignal<ResolvedRange | undefined>;
}

/** The parts of an {@link App} that `main` makes; the rest follows from them. */
export type AppParts = Omit<App, "range">;

const AppContext: Context<App | undefined> = createContext<App | undefined>(undefined);

/** Gives views their application. */
export const AppProvider: typeof AppContext.Provider = AppContext.Provider;

/** Puts an application together. */
export function createApp(parts: AppParts): App {
  const range = computed(() => resolveRange(parts.navigation.view.value, parts.clock.nowMs.value));
  return { ...parts, range };
}

/** The application that a view belongs to. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("a view outside of its application: wrap it in AppProvider");
  return app;
}

/** The view and how to change it. */
export function useView(): readonly [view: ViewState, go: (change: Partial<ViewState>) => void] {
  const { navigation } = useApp();
  return [navigation.view.value, (change) => navigation.go(change)];
}
