import type { VNode } from "preact";
import type { SpanTotals } from "../api/span-totals.ts";
import { useView } from "./app-context.ts";
import { TraceLink } from "./trace-link.tsx";

/** What narrows the spans beside labels: a trace, or a function on their stacks. Nothing when neither does. */
export function SpanFilterBar({ totals }: { totals: SpanTotals | undefined }): VNode | null {
  const [view, go] = useView();
  const { traceId, functionName } = view;
  if (traceId === "" && functionName === "") return null;
  const services = new Set(totals?.names.map(({ service }) => service));
  return (
    <div class="filter-bar">
      {traceId !== "" && (
        <Chip name="trace" value={traceId} onRemove={() => go({ traceId: "", spanId: "", path: "" })} />
      )}
      {traceId !== "" && totals !== undefined && (
        <span class="hint">
          {services.size} {services.size === 1 ? "service" : "services"}{" "}
          <TraceLink
            url={totals.spans.find((span) => span.traceUrl !== "")?.traceUrl ?? ""}
            traceId={traceId}
          />
        </span>
      )}
      {functionName !== "" && (
        <Chip name="function" value={functionName} onRemove={() => go({ functionName: "", path: "" })} />
      )}
    </div>
  );
}

interface ChipProps {
  readonly name: string;
  readonly value: string;
  readonly onRemove: () => void;
}

function Chip({ name, value, onRemove }: ChipProps): VNode {
  return (
    <span class="chip">
      <span class="chip-text">
        <b>{name}</b>={value}
      </span>
      <button
        type="button"
        class="chip-remove"
        aria-label={`Remove filter ${name} = ${value}`}
        onClick={onRemove}
      >
        ×
      </button>
    </span>
  );
}
