import type { VNode } from "preact";
import { chooseSeriesColour } from "../draw/series-colour.ts";
import { formatShare, formatValue } from "../format/format-value.ts";
import { describeProfileType, parseProfileType } from "../format/profile-type.ts";
import { rankGroups } from "../layout/chart-columns.ts";
import { formatSelector, parseSelector, withFilter } from "../state/label-filter.ts";
import { useApp, useView } from "./app-context.ts";
import { GROUP_LIMIT, type Timeline } from "./use-timeline.ts";

interface GroupTableProps {
  readonly timeline: Timeline;
  readonly type: string;
}

/** The groups of a split timeline, ranked; a click keeps one of them. */
export function GroupTable({ timeline, type }: GroupTableProps): VNode {
  const { theme } = useApp();
  const [view, go] = useView();
  const { isInstant } = describeProfileType(type);
  const { sampleUnit } = parseProfileType(type);
  const groups = rankGroups(timeline.series, timeline.groupBy, isInstant);
  const filters = parseSelector(view.query) ?? [];
  return (
    <div class="group-table">
      <table class="data-table" aria-label={`Values by ${timeline.groupBy}`}>
        <thead>
          <tr>
            <th scope="col">{timeline.groupBy}</th>
            <th scope="col" data-numeric="true">
              {isInstant ? "Mean" : "Sum"}
            </th>
            <th scope="col" data-numeric="true">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group, index) => (
            <tr key={group.value}>
              <th scope="row">
                <button
                  type="button"
                  class="row-name"
                  title={`Show only ${timeline.groupBy} = ${group.value}`}
                  onClick={() => {
                    const added = { name: timeline.groupBy, operator: "=", value: group.value } as const;
                    go({ query: formatSelector(withFilter(filters, added)), groupBy: "", path: "" });
                  }}
                >
                  <span
                    class="swatch"
                    style={{ background: chooseSeriesColour(index, theme.scheme.value) }}
                  />
                  {group.value === "" ? "(none)" : group.value}
                </button>
              </th>
              <td>{formatValue(group.amount, sampleUnit)}</td>
              <td class="measured">
                <span class="measured-bar" style={{ width: `${group.share * 100}%` }} />
                <span class="measured-value">{formatShare(group.share)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {groups.length === GROUP_LIMIT && <p class="hint">The {GROUP_LIMIT} largest groups are shown.</p>}
    </div>
  );
}
