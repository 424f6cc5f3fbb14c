import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { TimeSeries } from "../api/wire.ts";
import { chooseArrow, formatFactor } from "../format/format-change.ts";
import { formatAge } from "../format/format-time.ts";
import { chooseRateUnit, describeProfileType } from "../format/profile-type.ts";
import { findArrivingFrom, toChartColumns } from "../layout/chart-columns.ts";
import { toHalfMeans } from "../layout/half-means.ts";
import { chooseHalves, OPEN_SIDES } from "../state/diff-sides.ts";
import { formatSelector, withService } from "../state/label-filter.ts";
import { latest } from "../state/resource.ts";
import { chooseGrid, type TimelineGrid } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";
import { EmptyState } from "./empty-state.tsx";
import { linkTo } from "./link.ts";
import { RangeProblem } from "./range-problem.tsx";
import { Sparkline } from "./sparkline.tsx";
import { Busy, Failure } from "./state-notice.tsx";
import { type ResourceView, useResource } from "./use-resource.ts";
import type { Services } from "./use-services.ts";

// A service that missed this many uploads of the SDK's default 15 s is not sending any more.
const STALE_AFTER_MS = 120_000;

/** Every service that sent something, how busy it is, and whether it still sends. */
export function OverviewPage({ services }: { services: ResourceView<Services> }): VNode {
  const { range } = useApp();
  const [filter, setFilter] = useState("");
  const known = latest(services.state);
  const activity = useActivity(known);
  const names = [...(known?.keys() ?? [])]
    .sort()
    .filter((name) => name.toLowerCase().includes(filter.toLowerCase()));
  if (range.value === undefined) return <RangeProblem />;
  return (
    <section class="panel" aria-label="Services">
      <Failure doing="Reading the services" resource={services} />
      <Failure doing="Reading their activity" resource={activity} />
      <Busy isBusy={services.state.kind === "loading"} label="Reading the services">
        {known?.size === 0 && services.state.kind === "ready" && <EmptyState what="services" />}
        {known !== undefined && known.size > 0 && (
          <>
            <div class="panel-bar">
              <h1 class="panel-title">
                {known.size} {known.size === 1 ? "service" : "services"}
              </h1>
              <span class="spacer-flex" />
              <input
                type="search"
                aria-label="Filter services"
                placeholder="Filter services"
                value={filter}
                onInput={(event) => setFilter(event.currentTarget.value)}
              />
            </div>
            <table class="data-table service-table" aria-label="Services">
              <thead>
                <tr>
                  <th scope="col">Service</th>
                  <th scope="col">Activity</th>
                  <th scope="col">Change</th>
                  <th scope="col">Last profile</th>
                  <th scope="col">Profile types</th>
                </tr>
              </thead>
              <tbody>
                {names.map((name) => (
                  <ServiceRow
                    key={name}
                    name={name}
                    types={known.get(name) ?? []}
                    activity={latest(activity.state)}
                  />
                ))}
              </tbody>
            </table>
          </>
        )}
      </Busy>
    </section>
  );
}

/** Activity of all services by profile type. */
interface Activity {
  readonly grid: TimelineGrid;
  readonly byType: ReadonlyMap<string, readonly TimeSeries[]>;
}

/** One request for each type that is some service's first, not one for each service. */
function useActivity(services: Services | undefined): ResourceView<Activity> {
  const { client, range } = useApp();
  const resolved = range.value;
  const firstTypes = [...new Set([...(services?.values() ?? [])].map(([first]) => first))];
  const types = firstTypes.filter((type) => type !== undefined);
  const key = resolved === undefined || types.length === 0 ? undefined : JSON.stringify([resolved, types]);
  return useResource(key, async (signal) => {
    const grid = chooseGrid(resolved ?? { fromMs: 0, untilMs: 0 });
    const options = { groupBy: ["service_name"], limit: 0 };
    const answers = await Promise.all(
      types.map((type) => client.selectSeries({ type, selector: "{}", ...grid }, grid, options, signal)),
    );
    return { grid, byType: new Map(types.map((type, index) => [type, answers[index] ?? []])) };
  });
}

interface ServiceRowProps {
  readonly name: string;
  readonly types: readonly string[];
  readonly activity: Activity | undefined;
}

function ServiceRow({ name, types, activity }: ServiceRowProps): VNode {
  const { navigation } = useApp();
  const query = formatSelector(withService([], name));
  return (
    <tr>
      <th scope="row">
        <a
          class="service-name"
          {...linkTo(navigation, { page: "flame", query, type: types[0] ?? "", path: "" })}
        >
          {name === "" ? "(no name)" : name}
        </a>
      </th>
      <ActivityCells name={name} type={types[0] ?? ""} activity={activity} />
      <td class="service-types">
        {types.map((type) => (
          <a
            key={type}
            class="tag"
            title={describeProfileType(type).help}
            {...linkTo(navigation, { page: "flame", query, type, path: "" })}
          >
            {describeProfileType(type).title}
          </a>
        ))}
      </td>
    </tr>
  );
}

function ActivityCells({ name, type, activity }: Omit<ServiceRowProps, "types"> & { type: string }): VNode {
  const { clock } = useApp();
  const [view] = useView();
  const series = activity?.byType.get(type)?.find(({ labels }) => (labels.service_name ?? "") === name);
  if (activity === undefined || series === undefined) {
    return (
      <>
        <td />
        <td />
        <td />
      </>
    );
  }
  const unit = chooseRateUnit(type);
  const { values } = toChartColumns([series], activity.grid, {
    toPoint: unit.toPoint,
    missing: 0,
    arrivingFromMs: findArrivingFrom(clock.nowMs.value, activity.grid),
  });
  const present = series.points.map(({ value }) => unit.toPoint(value, activity.grid.stepSeconds));
  const mean = present.reduce((sum, value) => sum + value, 0) / Math.max(1, present.length);
  const lastMs = series.points.reduce((last, { timeMs }) => Math.max(last, timeMs), 0);
  const ageMs = Math.max(0, clock.nowMs.value - lastMs);
  const isStale = ageMs > Math.max(STALE_AFTER_MS, activity.grid.stepSeconds * 2000) && view.until === "now";
  return (
    <>
      <td class="service-activity">
        <Sparkline values={values[0] ?? []} label={`${name}: ${unit.format(mean)} on average`} />
        <span>{unit.format(mean)}</span>
      </td>
      <td>
        <ChangeLink name={name} type={type} series={series} grid={activity.grid} />
      </td>
      <td>
        <span class="freshness" data-stale={isStale}>
          {isStale ? "○" : "●"} {formatAge(ageMs)}
          {isStale && ", stopped sending?"}
        </span>
      </td>
    </>
  );
}

interface ChangeLinkProps {
  readonly name: string;
  readonly type: string;
  readonly series: TimeSeries;
  readonly grid: TimelineGrid;
}

/** How a service's second half of the range differs from its first, and the way to what changed. */
function ChangeLink({ name, type, series, grid }: ChangeLinkProps): VNode {
  const { clock, navigation } = useApp();
  const means = toHalfMeans(
    series,
    chooseHalves(grid, grid, [series]),
    findArrivingFrom(clock.nowMs.value, grid),
  );
  const unit = chooseRateUnit(type);
  const format = (value: number): string => unit.format(unit.toPoint(value, grid.stepSeconds));
  const delta = means === undefined ? 0 : means.right - means.left;
  const factor = means === undefined ? "" : formatFactor(means.left, means.right);
  return (
    <a
      class="service-change"
      data-sign={factor.startsWith("±") || delta === 0 ? undefined : delta > 0 ? "slower" : "faster"}
      title={
        means === undefined
          ? "Compare the halves of the range"
          : `${format(means.left)} in the first half, ${format(means.right)} in the second: what changed?`
      }
      {...linkTo(navigation, {
        page: "diff",
        query: formatSelector(withService([], name)),
        type,
        path: "",
        leftQuery: "",
        rightQuery: "",
        ...OPEN_SIDES,
      })}
    >
      {factor === "" ? "Compare" : factor.startsWith("±") ? factor : `${chooseArrow(delta)} ${factor}`}
    </a>
  );
}
