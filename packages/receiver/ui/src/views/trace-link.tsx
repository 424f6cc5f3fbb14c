import type { VNode } from "preact";

interface TraceLinkProps {
  /** "" where traces are not linked to. */
  readonly url: string;
  readonly traceId: string;
}

/** A trace in the program that keeps traces, in a tab of its own. */
export function TraceLink({ url, traceId }: TraceLinkProps): VNode | null {
  if (url === "") return null;
  return (
    <a
      class="trace-link"
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={`Open trace ${traceId} in a new tab`}
    >
      <span class="trace-link-word">Trace </span>↗
    </a>
  );
}
