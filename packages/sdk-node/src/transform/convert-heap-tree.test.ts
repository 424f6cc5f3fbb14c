import { describe, expect, it } from "vitest";
import type { HeapNode } from "../profilers/native.ts";
import { runAtOnce } from "../profilers/slices.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { convertHeapTree } from "./convert-heap-tree.ts";

function node(
  name: string,
  allocations: HeapNode["allocations"],
  children: readonly HeapNode[] = [],
): HeapNode {
  return { name, scriptName: "/a.js", scriptId: 1, lineNumber: 1, columnNumber: 1, allocations, children };
}

const options = {
  types: ["inuse_objects", "inuse_space"],
  intervalBytes: 524_288,
  startUnixNanos: 1n,
  durationNanos: 2n,
  externalBytes: 500,
} as const;

describe("convertHeapTree", () => {
  it("gives objects and bytes a profile each, with bytes of space as the period", () => {
    const tree = node(
      "(root)",
      [],
      [
        node("main", [
          { sizeBytes: 100, count: 2 },
          { sizeBytes: 8, count: 5 },
        ]),
      ],
    );

    const profiles = runAtOnce(convertHeapTree(tree, options));

    expect(
      profiles.map(({ name, profile }) => [name, profile.sampleTypes, profile.periodType, profile.period]),
    ).toEqual([
      ["memory", [{ type: "inuse_objects", unit: "count" }], { type: "space", unit: "bytes" }, 524_288n],
      ["memory", [{ type: "inuse_space", unit: "bytes" }], { type: "space", unit: "bytes" }, 524_288n],
    ]);
    expect(profiles.map(({ profile }) => formatSamples(profile))).toEqual([
      ["main 7"],
      ["(external) 500", "main 240"],
    ]);
  });

  it("gives only the types that were asked for, and none of nothing", () => {
    const empty = node("(root)", []);

    expect(runAtOnce(convertHeapTree(empty, { ...options, types: ["inuse_objects"] }))).toEqual([]);
    expect(
      runAtOnce(convertHeapTree(empty, { ...options, types: ["inuse_space"] })).map(({ type }) => type),
    ).toEqual(["inuse_space"]);
  });
});
