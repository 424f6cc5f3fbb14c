import type { Navigation } from "../state/navigation.ts";
import type { ViewState } from "../state/url-state.ts";

/** Attributes of a link to another view. */
export interface ViewLink {
  readonly href: string;
  readonly onClick: (event: MouseEvent) => void;
}

/** A real link, so that it can be copied and opened in a new tab, that a plain click follows without a reload. */
export function linkTo(navigation: Navigation, change: Partial<ViewState>): ViewLink {
  return {
    href: navigation.href(change),
    onClick: (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      navigation.go(change);
    },
  };
}
