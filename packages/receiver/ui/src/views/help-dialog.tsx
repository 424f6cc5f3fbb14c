import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { listKnownTypes } from "../format/profile-type.ts";

const KEYS: readonly { readonly keys: string; readonly does: string }[] = [
  { keys: "/", does: "Search functions; /text/ is a regular expression" },
  { keys: "n  N", does: "Next and previous match, in the flame graph" },
  { keys: "↑ ↓ ← →", does: "Caller, widest callee and neighbours, in the flame graph" },
  { keys: "Enter", does: "Focus the selected frame" },
  { keys: "Backspace", does: "Focus its caller" },
  { keys: "Esc", does: "Show everything" },
  {
    keys: "← →  + −",
    does: "Move and zoom the range, on the timeline; on a handle of a comparison, move it",
  },
  { keys: "?", does: "This page" },
];

interface HelpDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Keys, how to read a flame graph, and what each profile type means. */
export function HelpDialog({ isOpen, onClose }: HelpDialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="dialog dialog-wide" aria-label="Help" onClose={onClose}>
      <form method="dialog" class="dialog-close">
        <button type="submit" class="button button-icon" aria-label="Close">
          ×
        </button>
      </form>
      <h2>Reading a flame graph</h2>
      <p>
        Each bar is a function; below it stand the functions it called. A bar is as wide as what was spent in
        it and everything below. Order from left to right means nothing. What is not covered from below is the
        function's own.
      </p>
      <h2>Spans</h2>
      <p>
        Samples that were taken while a span of OpenTelemetry was active carry its ids. The page ranks spans
        by what was sampled in them, which is time at work: how long they took, waiting included, is what
        traces say. Points stand where the profile begins that holds their samples, 15 seconds at most before
        the span.
      </p>
      <h2>Keys</h2>
      <dl class="help-list">
        {KEYS.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Profile types</h2>
      <dl class="help-list">
        {listKnownTypes().map(({ title, help }) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{help}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
