import { ProfileBuilder } from "@pyroscope-ts/protocol/profiler";
import type { HeapNode } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import type { SourceLookup } from "../source-maps/script-position.ts";
import type { NodeValue } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";

/** Types of V8's heap sampler. */
export type HeapTypeName = "inuse_objects" | "inuse_space" | "alloc_objects" | "alloc_space";

/** What a reading of the heap sampler is converted with. */
export interface HeapTreeOptions {
  readonly types: readonly HeapTypeName[];
  readonly intervalBytes: number;
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
  /** Bytes outside the heap that its objects hold: buffers, mostly. */
  readonly externalBytes: number;
  readonly sources?: SourceLookup | undefined;
}

const UNITS: { readonly [T in HeapTypeName]: "count" | "bytes" } = {
  inuse_objects: "count",
  inuse_space: "bytes",
  alloc_objects: "count",
  alloc_space: "bytes",
};

/** Stands for what objects of the heap hold outside it; V8 does not know who allocated that. */
const EXTERNAL: HeapNode = {
  name: "(external)",
  scriptName: "",
  scriptId: 0,
  lineNumber: 0,
  columnNumber: 0,
  allocations: [],
  children: [],
};

/** The heap profiles of one reading: an estimate of what is alive now, from allocations sampled since the start. */
export function* convertHeapTree(
  root: HeapNode,
  options: HeapTreeOptions,
): Generator<void, readonly TypedProfile[]> {
  const profiles: TypedProfile[] = [];
  const files = new Map<string, string>();
  for (const type of options.types) {
    const builder = new ProfileBuilder({
      sampleTypes: [{ type, unit: UNITS[type] }],
      defaultSampleType: type,
      periodType: { type: "space", unit: "bytes" },
      period: BigInt(options.intervalBytes),
      timeUnixNanos: options.startUnixNanos,
      durationNanos: options.durationNanos,
    });
    const writer = new CallTreeWriter<HeapNode>(builder, { files, sources: options.sources });
    yield* writer.add(root, UNITS[type] === "bytes" ? spaceValues : objectValues);
    if (type === "inuse_space") writer.addSample([EXTERNAL], undefined, options.externalBytes);
    const profile = builder.build();
    if (profile.samples.length > 0) profiles.push({ type, name: "memory", profile });
    yield;
  }
  return profiles;
}

function spaceValues(node: HeapNode): Iterable<NodeValue> {
  return node.allocations.map(({ sizeBytes, count }) => ({ labels: undefined, value: sizeBytes * count }));
}

function objectValues(node: HeapNode): Iterable<NodeValue> {
  return node.allocations.map(({ count }) => ({ labels: undefined, value: count }));
}
