import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { pinView } from "../state/pin-view.ts";
import { useApp } from "./app-context.ts";

/** Copies a link that shows the same data tomorrow: relative times become absolute, and the button says so. */
export function CopyLink(): VNode {
  const { navigation, clock } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const [link, setLink] = useState("");
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    const address = navigation.permalink(pinView(navigation.view.peek(), clock.nowMs.peek()));
    setLink(address);
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
      setTimeout(() => setCopied(false), 2500);
    } catch {
      // Browsers give the clipboard to pages of https and of this machine only: show the link instead.
      dialog.current?.showModal();
    }
  };
  return (
    <>
      <button
        type="button"
        class="button"
        title="Copy a link to this view, its times pinned"
        onClick={() => void copy()}
      >
        Copy link
      </button>
      {isCopied && (
        <div class="toast" role="status">
          Link copied. Its times are pinned: it shows the same data tomorrow.
        </div>
      )}
      <dialog ref={dialog} class="dialog" aria-label="Link to this view">
        <form method="dialog">
          <h2>Link to this view</h2>
          <p>Its times are pinned: it shows the same data tomorrow.</p>
          <input
            type="text"
            readOnly
            value={link}
            aria-label="Link"
            onFocus={(event) => event.currentTarget.select()}
          />
          <button type="submit" class="button button-primary">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}
