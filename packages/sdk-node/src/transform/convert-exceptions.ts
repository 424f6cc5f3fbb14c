import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { SampleContext } from "../labels/sample-context.ts";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { SourceLookup } from "../source-maps/script-position.ts";
import { CallTreeWriter } from "./call-tree.ts";
import type { SiteNode } from "./site-tree.ts";

/** What exceptions are converted with. */
export interface ExceptionsOptions {
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
  readonly labelsOf: (context: SampleContext | undefined) => SampleLabels | undefined;
  readonly sources?: SourceLookup | undefined;
}

/** The profile of the exceptions of one window: a sample for each stack, with the class of the error as its last frame. */
export function* convertExceptions(
  root: SiteNode,
  { startUnixNanos, durationNanos, labelsOf, sources }: ExceptionsOptions,
): Generator<void, readonly TypedProfile[]> {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "samples", unit: "count" }],
    defaultSampleType: "samples",
    timeUnixNanos: startUnixNanos,
    durationNanos,
  });
  const writer = new CallTreeWriter<SiteNode>(builder, { files: new Map(), sources });
  yield* writer.add(root, (node) =>
    Array.from(node.values, ([context, value]) => ({ labels: labelsOf(context), value })),
  );
  const profile = builder.build();
  return profile.samples.length === 0 ? [] : [{ type: "exceptions", name: "exceptions", profile }];
}
