import type { ValueType } from "../profile/profile.ts";

/** The profiles that a recording is split into: each has its own name, sample types and period. */
export interface SampleFamily {
  /** `__name__` of its series. */
  readonly name: string;
  /** The first counts events, or their time; a second sums what the events measured. */
  readonly sampleTypes: readonly ValueType[];
  readonly periodType: ValueType | undefined;
  /** Events are samples in time: each counts as long as the time between two. */
  readonly isTime: boolean;
}

/** Key of {@link SAMPLE_FAMILIES}. */
export type SampleFamilyKey =
  | "cpu"
  | "wall"
  | "inNewTlab"
  | "outsideTlab"
  | "allocSample"
  | "live"
  | "malloc"
  | "mutex"
  | "block";

const COUNT = "count";
const BYTES = "bytes";
const NANOSECONDS = "nanoseconds";

function timeFamily(name: string, type: string): SampleFamily {
  const valueType = { type, unit: NANOSECONDS };
  return { name, sampleTypes: [valueType], periodType: valueType, isTime: true };
}

function allocations(name: string, periodType: ValueType | undefined): SampleFamily {
  const sampleTypes = [
    { type: `${name}_objects`, unit: COUNT },
    { type: `${name}_bytes`, unit: BYTES },
  ];
  return { name: "memory", sampleTypes, periodType, isTime: false };
}

function waits(name: string): SampleFamily {
  const sampleTypes = [
    { type: "contentions", unit: COUNT },
    { type: "delay", unit: NANOSECONDS },
  ];
  return { name, sampleTypes, periodType: { type: name, unit: COUNT }, isTime: false };
}

const SPACE: ValueType = { type: "space", unit: BYTES };

/** Source: grafana/jfr-parser pprof/pprof.go. */
export const SAMPLE_FAMILIES: { readonly [K in SampleFamilyKey]: SampleFamily } = {
  cpu: timeFamily("process_cpu", "cpu"),
  wall: timeFamily("wall", "wall"),
  inNewTlab: allocations("alloc_in_new_tlab", SPACE),
  outsideTlab: allocations("alloc_outside_tlab", SPACE),
  allocSample: allocations("alloc_sample", SPACE),
  live: {
    name: "memory",
    sampleTypes: [{ type: "live", unit: COUNT }],
    periodType: { type: "objects", unit: COUNT },
    isTime: false,
  },
  malloc: allocations("malloc", undefined),
  mutex: waits("mutex"),
  block: waits("block"),
};
