import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TokenRefusal } from "../api/session-token.ts";
import { useApp } from "./app-context.ts";

const REASONS: Readonly<Record<TokenRefusal, string>> = {
  missing: "",
  unknown: "That token was not accepted.",
  forbidden: "This token may not read: it was forgotten. A token for pushing opens no profiles.",
};

/** Asks for the read token that the receiver wants. */
export function TokenDialog(): VNode {
  const { token } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  // The event of a close comes later, when the next refusal may have opened the dialog again.
  const isOwnClose = useRef(false);
  const [text, setText] = useState("");
  const refusal = token.refusal.value;
  const isWanted = refusal !== undefined;
  const reason = refusal === undefined ? "" : REASONS[refusal];
  useEffect(() => {
    if (isWanted) dialog.current?.showModal();
    else if (dialog.current?.open === true) {
      isOwnClose.current = true;
      dialog.current.close();
    }
  }, [isWanted]);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-label="Read token"
      onClose={() => {
        if (!isOwnClose.current) token.dismiss();
        isOwnClose.current = false;
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          token.enter(text);
          setText("");
        }}
      >
        <h2>This receiver wants a token</h2>
        <p>
          It was started with <code>--auth-token</code>. Enter a token that may read; this tab forgets it when
          it is closed.
        </p>
        {reason !== "" && (
          <p class="notice notice-error" role="alert">
            {reason}
          </p>
        )}
        <label>
          Read token
          <input
            type="password"
            autocomplete="current-password"
            value={text}
            required
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button button-primary">
          Continue
        </button>
      </form>
    </dialog>
  );
}
