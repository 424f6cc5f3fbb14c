import { describe, expect, it } from "vitest";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { TimeNode } from "../profilers/native.ts";
import { runAtOnce } from "../profilers/slices.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { convertBlockedTurns } from "./convert-blocked-turns.ts";

// The system clock is ahead of the monotonic one by this much.
const OFFSET_MS = 1_700_000_000_000;

/** A function with a tick at each of these milliseconds of the monotonic clock. */
function node(
  name: string,
  tickMs: readonly number[],
  children: readonly TimeNode[] = [],
  route?: string,
): TimeNode {
  return {
    name,
    scriptName: "",
    scriptId: 0,
    lineNumber: 0,
    columnNumber: 0,
    hitCount: tickMs.length,
    contexts: tickMs.map((ms) => ({
      cpuTime: 0,
      timestamp: BigInt(Math.round((OFFSET_MS + ms) * 1000)),
      ...(route === undefined ? {} : { context: { route } }),
    })),
    children,
  };
}

function convert(
  children: readonly TimeNode[],
  turns: readonly (readonly [number, number])[],
): readonly string[] {
  const work = convertBlockedTurns(
    [
      {
        tree: { topDownRoot: node("(root)", [], children), startTime: 0, endTime: 0 },
        labelsOf: (context) => toLabels(context as { readonly route: string } | undefined),
      },
    ],
    {
      types: [],
      intervalMicros: 10_000,
      startUnixNanos: 0n,
      turns: turns.map(([startMs, endMs]) => ({ startMs, endMs })),
      unixOffsetMs: OFFSET_MS,
    },
  );
  return runAtOnce(work).flatMap(({ name, profile }) =>
    formatSamples(profile).map(
      (sample) => `${name} ${profile.sampleTypes[0]?.type}/${profile.sampleTypes[0]?.unit}: ${sample}`,
    ),
  );
}

function toLabels(context: { readonly route: string } | undefined): SampleLabels | undefined {
  return context === undefined ? undefined : { labels: [{ name: "route", value: context.route }] };
}

describe("convertBlockedTurns", () => {
  it("keeps the ticks inside of turns, ends included, and no others", () => {
    const blocker = node("blocker", [100, 110, 200]);
    const innocent = node("innocent", [99, 201, 250, 350]);

    expect(convert([node("main", [], [blocker, innocent])], [[100, 200]])).toEqual([
      "block contentions/count: main blocker 1",
      "block delay/nanoseconds: main blocker 30000000",
    ]);
  });

  it("counts each turn once, at the stack that was seen most in it", () => {
    const parse = node("parse", [10, 20, 30, 110]);
    const write = node("write", [40, 120, 130]);

    expect(
      convert(
        [node("main", [], [parse, write])],
        [
          [10, 50],
          [100, 140],
        ],
      ),
    ).toEqual([
      "block contentions/count: main parse 1",
      "block contentions/count: main write 1",
      "block delay/nanoseconds: main parse 40000000",
      "block delay/nanoseconds: main write 30000000",
    ]);
  });

  it("keeps labels, and puts collections where they belong", () => {
    const blocker = node("blocker", [10, 20], [], "/a");

    expect(convert([blocker, node("(garbage collector)", [30]), node("(idle)", [40])], [[10, 50]])).toEqual([
      "block contentions/count: blocker {route=/a} 1",
      "block delay/nanoseconds: Node.js Garbage Collection 10000000",
      "block delay/nanoseconds: blocker {route=/a} 20000000",
    ]);
  });

  it("makes no profile of no turns, or of turns in which the thread did not run", () => {
    expect(convert([node("main", [10])], [])).toEqual([]);
    expect(convert([node("main", [10])], [[20, 90]])).toEqual([]);
  });
});
