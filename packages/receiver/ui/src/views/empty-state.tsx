import type { VNode } from "preact";
import type { ProfileStats } from "../api/receiver-client.ts";
import { formatAge, formatMoment } from "../format/format-time.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { useResource } from "./use-resource.ts";

/** Nothing to draw: says whether nothing ever arrived, or where the data is. */
export function EmptyState({ what }: { what: string }): VNode | null {
  const { client, clock } = useApp();
  const stats = useResource(`stats ${clock.nowMs.value}`, (signal) => client.readStats(signal));
  const known = latest(stats.state);
  if (known === undefined) return null;
  return known.hasData ? <NothingInRange what={what} stats={known} /> : <FirstSteps />;
}

const HOUR_MS = 3_600_000;

function NothingInRange({ what, stats }: { what: string; stats: ProfileStats }): VNode {
  const { clock } = useApp();
  const [, go] = useView();
  const ageMs = clock.nowMs.value - stats.newestMs;
  return (
    <div class="empty">
      <h2>No {what} here</h2>
      <p>
        Nothing in this range matches the service, the profile type and the filters.
        {stats.newestMs > 0 &&
          ` The newest profile of all arrived ${formatAge(ageMs)}, for ${formatMoment(stats.newestMs)}.`}
      </p>
      {stats.newestMs > 0 && (
        <button
          type="button"
          class="button button-primary"
          onClick={() => {
            const until = stats.newestMs + 1000;
            go({ from: String(until - HOUR_MS), until: String(until) });
          }}
        >
          Show the hour before it
        </button>
      )}
    </div>
  );
}

function FirstSteps(): VNode {
  const address = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const program = [
    'import { start } from "@pyroscope-ts/sdk-node";',
    "",
    "start({",
    '  applicationName: "my-service",',
    `  serverAddress: "${address}",`,
    "});",
  ].join("\n");
  return (
    <div class="empty">
      <h2>No profiles yet</h2>
      <p>This receiver is running and waiting. Profile a Node.js program in two steps:</p>
      <ol>
        <li>
          Install the SDK:
          <pre>npm install @pyroscope-ts/sdk-node</pre>
        </li>
        <li>
          Start it before anything else in the program:
          <pre>{program}</pre>
        </li>
      </ol>
      <p class="hint">
        The first profile arrives after one upload interval, 15 seconds by default. Any other Pyroscope SDK
        works too: point it at <code>{address}</code>.
      </p>
    </div>
  );
}
