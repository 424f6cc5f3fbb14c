import type { ComponentChildren, VNode } from "preact";
import type { AnswerNotices } from "../api/receiver-client.ts";
import { RequestError } from "../api/request-error.ts";
import { useApp } from "./app-context.ts";
import type { ResourceView } from "./use-resource.ts";

interface FailureProps {
  readonly doing: string;
  readonly resource: ResourceView<unknown>;
  /** Another request of the page with a notice of its own: what refused both is said there, once. */
  readonly main?: ResourceView<unknown>;
}

/** A request that failed, in the receiver's words, and what can be done about it. Nothing while it did not. */
export function Failure({ doing, resource, main }: FailureProps): VNode | null {
  const { state, retry } = resource;
  if (state.kind !== "failed") return null;
  if (main?.state.kind === "failed" && isSameRefusal(state.error, main.state.error)) return null;
  return (
    <div class="notice notice-error" role="alert">
      <span>
        <b>{doing}:</b> {state.error.message}
      </span>
      <Remedy error={state.error} onRetry={retry} />
    </div>
  );
}

// What can be tried again is tried again one by one.
function isSameRefusal(error: Error, other: Error): boolean {
  return (
    error instanceof RequestError &&
    other instanceof RequestError &&
    (error.code === "REJECTED" || error.code === "UNAUTHORIZED") &&
    error.code === other.code &&
    // Routes put the name of their parameter before the same words.
    (error.message.endsWith(other.message) || other.message.endsWith(error.message))
  );
}

/** Nothing for a request that is wrong: it would fail again. */
function Remedy({ error, onRetry }: { error: Error; onRetry: () => void }): VNode | null {
  const { token } = useApp();
  const code = error instanceof RequestError ? error.code : undefined;
  if (code === "REJECTED") return null;
  const isLocked = code === "UNAUTHORIZED";
  return (
    <button type="button" class="button" onClick={isLocked ? () => token.want("missing") : onRetry}>
      {isLocked ? "Enter a token" : "Try again"}
    </button>
  );
}

/** What the receiver said about an answer: what is missing, and how coarse it is. */
export function AnswerNotice({ notices }: { notices: AnswerNotices | undefined }): VNode | null {
  if (notices === undefined) return null;
  // Raw profiles are what everybody expects: only a coarser answer is news.
  const resolution = notices.resolution === "raw" ? "" : notices.resolution;
  if (notices.partial === "" && resolution === "") return null;
  return (
    <p class="notice" role="status">
      {notices.partial !== "" && <>Part of the stored data could not be read: {notices.partial}. </>}
      {resolution !== "" && <>Answered at a resolution of {resolution}.</>}
    </p>
  );
}

interface BusyProps {
  readonly isBusy: boolean;
  readonly label: string;
  readonly children: ComponentChildren;
}

/** Its children, dimmed with a bar over them while a newer answer is awaited. */
export function Busy({ isBusy, label, children }: BusyProps): VNode {
  return (
    <div class="busy" data-busy={isBusy} aria-busy={isBusy}>
      {isBusy && <div class="busy-bar" role="progressbar" aria-label={label} />}
      {children}
    </div>
  );
}
