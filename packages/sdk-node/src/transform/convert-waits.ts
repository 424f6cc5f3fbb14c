import type { Profile, ValueType } from "@pyroscope-ts/protocol";
import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import { SPAN_ID_LABEL, SPAN_NAME_LABEL, TRACE_ID_LABEL } from "../labels/label.ts";
import type { LabelSet } from "../labels/label-set.ts";
import type { SampleContext } from "../labels/sample-context.ts";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { SourceLookup } from "../source-maps/script-position.ts";
import type { CallTreeNode } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";
import type { SiteNode } from "./site-tree.ts";

/** What the calls of one label set came to in one window. */
interface CallSums {
  readonly labels: LabelSet;
  readonly callCount: number;
  readonly elapsedMs: number;
}

/** What waits are converted with. */
export interface WaitsOptions {
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
  readonly labelsOf: (context: SampleContext | undefined) => SampleLabels | undefined;
  readonly calls: readonly CallSums[];
  /** Milliseconds of calls that neither a wait nor the event-loop thread accounts for. */
  readonly unattributed: ReadonlyMap<LabelSet, number>;
  readonly onLoop: ReadonlyMap<LabelSet, number>;
  readonly sources?: SourceLookup | undefined;
}

type WaitSampleType = "delay" | "calls" | "elapsed" | "on_loop";

const PERIOD: ValueType = { type: "wait", unit: "nanoseconds" };
const NANOS_PER_MS = 1_000_000;

/**
 * The wait profiles of one window: `delay` has the waits by their callers, with the rest of each label set's time as
 * `unattributed`; `calls`, `elapsed` and `on_loop` have one sample for each label set of `tagWrapper`.
 */
export function* convertWaits(
  root: SiteNode,
  options: WaitsOptions,
): Generator<void, readonly TypedProfile[]> {
  const { calls, onLoop, unattributed, labelsOf } = options;
  const delay = createBuilder("delay", options);
  const writer = new CallTreeWriter<SiteNode>(delay, { files: new Map(), sources: options.sources });
  yield* writer.add(root, (node) =>
    Array.from(node.values, ([context, ms]) => ({ labels: labelsOf(context), value: ms * NANOS_PER_MS })),
  );
  for (const [labels, ms] of unattributed) writer.addSample(UNATTRIBUTED, labels, ms * NANOS_PER_MS);
  const counts = new Map(calls.map(({ labels, callCount }) => [labels, callCount]));
  const elapsed = new Map(calls.map(({ labels, elapsedMs }) => [labels, elapsedMs * NANOS_PER_MS]));
  const loop = new Map(calls.map(({ labels }) => [labels, (onLoop.get(labels) ?? 0) * NANOS_PER_MS]));
  return [
    delay.build(),
    convertSums("calls", counts, options),
    convertSums("elapsed", elapsed, options),
    convertSums("on_loop", loop, options),
  ]
    .filter(({ samples }) => samples.length > 0)
    .map((profile) => ({ type: "wait", name: "wait", profile }));
}

const UNATTRIBUTED: readonly CallTreeNode<unknown>[] = [framed("unattributed")];

function framed(name: string): CallTreeNode<unknown> {
  return { name, scriptName: "", lineNumber: 0, children: [] };
}

function convertSums(
  type: Exclude<WaitSampleType, "delay">,
  sums: ReadonlyMap<LabelSet, number>,
  options: WaitsOptions,
): Profile {
  const builder = createBuilder(type, options);
  const writer = new CallTreeWriter<never>(builder, { files: new Map() });
  for (const [labels, value] of sums) writer.addSample([framed(`(${type})`)], labels, value);
  return builder.build();
}

function createBuilder(type: WaitSampleType, options: WaitsOptions): ProfileBuilder {
  return new ProfileBuilder({
    sampleTypes: [{ type, unit: type === "calls" ? "count" : "nanoseconds" }],
    defaultSampleType: type,
    periodType: PERIOD,
    period: 1n,
    timeUnixNanos: options.startUnixNanos,
    durationNanos: options.durationNanos,
  });
}

/** What a label set has in the profiles of the same window, whatever span was active. */
export function labelSetKey(labels: SampleLabels["labels"]): string {
  const own = labels.filter(({ name }) => ![SPAN_ID_LABEL, SPAN_NAME_LABEL, TRACE_ID_LABEL].includes(name));
  return JSON.stringify(own.map(({ name, value }) => [name, value]));
}

/** Milliseconds of a wall profile by {@link labelSetKey}. */
export function sumWallByLabels({ samples, labels, strings }: Profile): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (let sample = 0; sample < samples.length; sample++) {
    const own: { name: string; value: string }[] = [];
    const end = samples.labelStart[sample + 1] ?? 0;
    for (let row = samples.labelStart[sample] ?? 0; row < end; row++) {
      own.push({ name: strings[labels.key[row] ?? 0] ?? "", value: strings[labels.text[row] ?? 0] ?? "" });
    }
    const key = labelSetKey(own);
    sums.set(key, (sums.get(key) ?? 0) + Number(samples.values[sample]) / NANOS_PER_MS);
  }
  return sums;
}
