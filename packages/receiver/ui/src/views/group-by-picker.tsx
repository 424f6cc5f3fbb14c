import type { VNode } from "preact";
import type { ProfileQuery } from "../api/wire.ts";
import { latest } from "../state/resource.ts";
import { useApp, useView } from "./app-context.ts";
import { useResource } from "./use-resource.ts";

/** Chooses the label that the timeline is split by. */
export function GroupByPicker({ query }: { query: ProfileQuery }): VNode {
  const { client } = useApp();
  const [view, go] = useView();
  const names = useResource(JSON.stringify(query), (signal) => client.listLabelNames(query, signal));
  const known = latest(names.state) ?? [];
  // The chosen label stays on offer while the list is on its way.
  const options = view.groupBy === "" || known.includes(view.groupBy) ? known : [view.groupBy, ...known];
  return (
    <label class="inline-field">
      Split by
      <select value={view.groupBy} onChange={(event) => go({ groupBy: event.currentTarget.value })}>
        <option value="">nothing</option>
        {options.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
