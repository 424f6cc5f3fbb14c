import type { StackFormat } from "@pyroscope-ts/protocol";

/** What a payload is that is no plain pprof, and what its request says about it. It becomes pprofs before admission. */
export type PayloadFormat = StacksFormat | SpeedscopeFormat | JfrFormat | SpyFormat | OtlpFormat;

/** What the query string of `/ingest` says about a payload that does not say it itself. */
interface TextRequest {
  /** Without labels; its last part says what the values mean. */
  readonly appName: string;
  readonly sampleRateHz: number;
  /** Time of the profile. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
}

/** Stacks and values and nothing else; the item's labels name no service. */
interface StacksFormat extends TextRequest {
  readonly kind: "stacks";
  readonly format: StackFormat;
}

/** A speedscope file: any number of profiles. The item's labels name no service. */
interface SpeedscopeFormat extends TextRequest {
  readonly kind: "speedscope";
}

/** A recording of the JDK Flight Recorder or async-profiler: one profile for each kind of event. */
interface JfrFormat {
  readonly kind: "jfr";
  /** Whole, up to 10^9; 0 when the client does not know it. */
  readonly sampleRateHz: number;
  /** Time of the profiles. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
  /** A `LabelsSnapshot`, gzip or plain; empty for none. */
  readonly labelsSnapshot: Uint8Array;
}

/** A pprof of a profiler whose pprofs need a correction. */
interface SpyFormat {
  readonly kind: "spy";
  /** `files`: function names go behind the name of their file; `dotnet`: ids and names of types are set right. */
  readonly fix: "files" | "dotnet";
  readonly spyName: string;
}

/** An `ExportProfilesServiceRequest`: any number of profiles, each with its own labels. */
interface OtlpFormat {
  readonly kind: "otlp";
  readonly encoding: "proto" | "json";
}
