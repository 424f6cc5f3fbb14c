import {
  alignToStep,
  buildTimeline,
  type DiffTree,
  diffTreeToFlamebearer,
  type ProfileType,
  type Timeline,
  type TimelinePoint,
  type Tree,
  timelineStepSeconds,
  treeToFlamebearer,
} from "@pyroscope-ts/protocol";
import type { TimeSeries } from "../../query/query-service.ts";

/** What a render answer says of its numbers. */
interface RenderMetadata {
  readonly format: "single" | "double";
  readonly spyName: "";
  /** Units that one sample stands for, per second. */
  readonly sampleRate: number;
  readonly units: string;
  /** The sample type. */
  readonly name: string;
}

/** The JSON of `/render` and `/render-diff`. Source: Pyroscope pkg/og/structs/flamebearer. */
export interface RenderJson {
  readonly version: 1;
  readonly flamebearer: {
    readonly names: readonly string[];
    readonly levels: readonly (readonly number[])[];
    readonly numTicks: number;
    readonly maxSelf: number;
  };
  readonly metadata: RenderMetadata;
  readonly timeline: Timeline | null;
  readonly groups: Readonly<Record<string, Timeline>> | null;
  readonly heatmap: null;
  /** Of a diff, and left out when 0. */
  readonly leftTicks?: number;
  readonly rightTicks?: number;
}

const OBJECT_TYPES: ReadonlySet<string> = new Set(["inuse_objects", "alloc_objects", "goroutine", "samples"]);
const NANOS_PER_SECOND = 1_000_000_000;
// What the format's readers divide by to come to seconds; for anything but time it means nothing and is always 100.
const DEFAULT_SAMPLE_RATE = 100;

/** Units by sample type. Source: Pyroscope pkg/querier/flamegraph.go. */
function renderMetadata(
  { sampleType, sampleUnit }: ProfileType,
  format: RenderMetadata["format"],
): RenderMetadata {
  const isCpu = sampleType === "cpu";
  const countUnit = OBJECT_TYPES.has(sampleType) ? "objects" : sampleUnit;
  return {
    format,
    spyName: "",
    sampleRate: isCpu ? NANOS_PER_SECOND : DEFAULT_SAMPLE_RATE,
    units: isCpu ? "samples" : countUnit,
    name: sampleType,
  };
}

/** Where the points of a timeline lie. */
export interface TimelineGrid {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepSeconds: number;
}

/** The grid of a range: its ends moved back to whole steps. */
export function timelineGrid(startMs: number, endMs: number): TimelineGrid {
  const stepSeconds = timelineStepSeconds(startMs, endMs);
  return { ...alignToStep(startMs, endMs, stepSeconds), stepSeconds };
}

/** All series on one timeline, added up. */
export function toTimeline(series: readonly TimeSeries[], grid: TimelineGrid): Timeline {
  return buildTimeline(series.flatMap(toPoints), grid.startMs, grid.endMs, grid.stepSeconds);
}

/** A timeline for each value of the label that the series are grouped by; `*` for series without it. */
export function toGroups(
  series: readonly TimeSeries[],
  label: string,
  grid: TimelineGrid,
): Readonly<Record<string, Timeline>> {
  // Made of entries, not by assignment: a value may be called `__proto__`.
  return Object.fromEntries(
    series.map((one) => {
      const value = one.labels.find(({ name }) => name === label)?.value ?? "*";
      return [value, toTimeline([one], grid)];
    }),
  );
}

function toPoints({ unixMillis, values }: TimeSeries): readonly TimelinePoint[] {
  return Array.from(unixMillis, (timeMs, i) => ({ timeMs, value: values[i] ?? 0 }));
}

/** The answer of `/render`. */
export function toRenderJson(
  tree: Tree,
  profileType: ProfileType,
  timeline: Timeline | null,
  groups: RenderJson["groups"],
): RenderJson {
  return {
    version: 1,
    flamebearer: treeToFlamebearer(tree),
    metadata: renderMetadata(profileType, "single"),
    timeline,
    groups,
    heatmap: null,
  };
}

/** The answer of `/render-diff`. */
export function toRenderDiffJson(diff: DiffTree, profileType: ProfileType): RenderJson {
  const { leftTicks, rightTicks, ...flamebearer } = diffTreeToFlamebearer(diff);
  return {
    version: 1,
    flamebearer,
    metadata: renderMetadata(profileType, "double"),
    timeline: null,
    groups: null,
    heatmap: null,
    ...(leftTicks !== 0 && { leftTicks }),
    ...(rightTicks !== 0 && { rightTicks }),
  };
}
