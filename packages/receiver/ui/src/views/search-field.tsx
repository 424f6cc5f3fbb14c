import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatShare } from "../format/format-value.ts";
import { useView } from "./app-context.ts";

interface SearchFieldProps {
  /** How many functions match and which part of what is in sight they cover; undefined while nothing is searched. */
  readonly found:
    | { readonly nameCount: number; readonly ratio: number; readonly isExpression: boolean }
    | undefined;
}

/** Searches functions by name; `/` anywhere on the page comes here. */
export function SearchField({ found }: SearchFieldProps): VNode {
  const [view, go] = useView();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const abort = new AbortController();
    const focusOnSlash = (event: KeyboardEvent): void => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focusOnSlash, { signal: abort.signal });
    return () => abort.abort();
  }, []);
  return (
    <div class="search-field">
      <input
        ref={input}
        type="search"
        value={view.search}
        placeholder="Search functions, or /regex/"
        aria-label="Search functions"
        spellcheck={false}
        onInput={(event) => go({ search: event.currentTarget.value })}
      />
      <span class="search-found" role="status">
        {found !== undefined && (
          <>
            <b>{formatShare(found.ratio)}</b> in {found.nameCount}{" "}
            {found.nameCount === 1 ? "function" : "functions"}
            {view.search.startsWith("/") && !found.isExpression && ", taken as text"}
          </>
        )}
      </span>
    </div>
  );
}

/** Whether a key pressed at `target` is text, not a shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
