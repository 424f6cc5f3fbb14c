import type { SampleFamilyKey } from "./sample-families.ts";

/** Fields that an event may measure something in. */
export type AmountField = "tlabSize" | "allocationSize" | "weight" | "duration" | "size" | "samples";

/** What an event adds to which profile. */
export type SampleEvent =
  /** One, and what `amount` says to the second sample type. */
  | { readonly kind: "one"; readonly family: SampleFamilyKey; readonly amount: AmountField | undefined }
  /** A thread's stack in the course of time; its state decides whether it was on the CPU. */
  | { readonly kind: "execution" | "wall" };

/**
 * The events that become samples, by name. All others are skipped.
 *
 * Source: grafana/jfr-parser pprof/parser.go; JDK src/hotspot/share/jfr/metadata/metadata.xml; async-profiler
 * src/jfrMetadata.cpp.
 */
export const SAMPLE_EVENTS: ReadonlyMap<string, SampleEvent> = new Map<string, SampleEvent>([
  ["jdk.ExecutionSample", { kind: "execution" }],
  ["profiler.WallClockSample", { kind: "wall" }],
  ["jdk.ObjectAllocationInNewTLAB", { kind: "one", family: "inNewTlab", amount: "tlabSize" }],
  ["jdk.ObjectAllocationOutsideTLAB", { kind: "one", family: "outsideTlab", amount: "allocationSize" }],
  ["jdk.ObjectAllocationSample", { kind: "one", family: "allocSample", amount: "weight" }],
  ["profiler.LiveObject", { kind: "one", family: "live", amount: undefined }],
  ["profiler.Malloc", { kind: "one", family: "malloc", amount: "size" }],
  ["jdk.JavaMonitorEnter", { kind: "one", family: "mutex", amount: "duration" }],
  ["jdk.ThreadPark", { kind: "one", family: "block", amount: "duration" }],
]);

/** The event that says with which options the recording was made. */
export const SETTING_EVENT = "jdk.ActiveSetting";

/** Fields of events that samples are made of. */
export type SampleField = AmountField | CorrelationField | "stackTrace" | "state";

/** What ties an event to the labels and the span that it happened in, in the order of {@link CORRELATION_FIELDS}. */
export type CorrelationField = "contextId" | "spanId" | "spanName" | "traceIdHi" | "traceIdLo";

/** Source: the async-profiler that the Pyroscope agent for Java brings. */
export const CORRELATION_FIELDS: readonly CorrelationField[] = [
  "contextId",
  "spanId",
  "spanName",
  "traceIdHi",
  "traceIdLo",
];
