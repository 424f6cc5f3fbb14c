import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { TypedProfile } from "../profilers/profiler.ts";
import { CallTreeWriter } from "./call-tree.ts";
import { collectionPath } from "./time-tree.ts";

/** When collections were. */
export interface CollectionsOptions {
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
}

/**
 * The profile of garbage collections of one window.
 *
 * @param totals - milliseconds by sort of collection.
 */
export function* convertCollections(
  totals: ReadonlyMap<string, number>,
  options: CollectionsOptions,
): Generator<void, readonly TypedProfile[]> {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "gc", unit: "nanoseconds" }],
    defaultSampleType: "gc",
    timeUnixNanos: options.startUnixNanos,
    durationNanos: options.durationNanos,
  });
  const writer = new CallTreeWriter<never>(builder, { files: new Map() });
  for (const [sort, durationMs] of totals) {
    writer.addSample(collectionPath(sort), undefined, durationMs * 1_000_000);
    yield;
  }
  const profile = builder.build();
  return profile.samples.length === 0 ? [] : [{ type: "gc", name: "gc", profile }];
}
