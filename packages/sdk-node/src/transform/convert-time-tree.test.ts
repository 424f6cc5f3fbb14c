import type { Profile } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { expressLabels } from "../http/express-labels.ts";
import { koaLabels } from "../http/koa-labels.ts";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { LineNode } from "../profilers/line-sampler.ts";
import type { TimeNode, TimeTree } from "../profilers/native.ts";
import { runAtOnce } from "../profilers/slices.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { convertTimeTree } from "./convert-time-tree.ts";

const MS = 1_000_000;

interface NodeInput extends Partial<Omit<TimeNode, "children" | "contexts">> {
  /** CPU milliseconds of each tick, with its route. */
  readonly ticks?: readonly (readonly [cpuMs: number, route?: string])[];
  readonly children?: readonly TimeNode[];
}

function labelSet(route: string): SampleLabels {
  return { labels: [{ name: "route", value: route }] };
}

function node(name: string, { ticks = [], children = [], ...rest }: NodeInput = {}): TimeNode {
  return {
    name,
    scriptName: "",
    scriptId: 0,
    lineNumber: 0,
    columnNumber: 0,
    hitCount: ticks.length,
    contexts: ticks.map(([cpuMs, route]) => ({
      cpuTime: cpuMs * MS,
      ...(route === undefined ? {} : { context: labelSet(route) }),
    })),
    children,
    ...rest,
  };
}

function convert(
  children: readonly TimeNode[],
  tree: Partial<TimeTree> = {},
  lineNodes: readonly LineNode[] = [],
): Map<string, Profile> {
  const root = node("(root)", { children });
  const work = convertTimeTree(
    [
      {
        tree: { topDownRoot: root, startTime: 0, endTime: 0, hasCpuTime: true, ...tree },
        labelsOf: (context) => context as SampleLabels | undefined,
      },
    ],
    {
      types: ["cpu", "wall"],
      intervalMicros: 10_000,
      startUnixNanos: 1_700_000_000_000_000_000n,
      lineNodes,
    },
  );
  return new Map(runAtOnce(work).map(({ name, profile }) => [name, profile]));
}

function samplesOf(profiles: Map<string, Profile>, name: string): readonly string[] {
  const profile = profiles.get(name);
  return profile === undefined ? [] : formatSamples(profile);
}

describe("convertTimeTree", () => {
  it("gives CPU and wall one profile each, with one sample type, the asked period and the true length", () => {
    const profiles = convert([node("main", { ticks: [[7]] })], { startTime: 5, endTime: 10_005 });

    for (const [name, type] of [
      ["process_cpu", "cpu"],
      ["wall", "wall"],
    ] as const) {
      expect(profiles.get(name)).toMatchObject({
        sampleTypes: [{ type, unit: "nanoseconds" }],
        periodType: { type, unit: "nanoseconds" },
        period: 10_000_000n,
        timeUnixNanos: 1_700_000_000_000_000_000n,
        durationNanos: 10_000_000n,
      });
    }
  });

  it("counts CPU as the clock did and wall as ticks", () => {
    const main = node("main", { ticks: [[1]], children: [node("parse", { ticks: [[9], [4]] })] });

    const profiles = convert([main]);

    expect(samplesOf(profiles, "process_cpu")).toEqual(["main 1000000", "main parse 13000000"]);
    expect(samplesOf(profiles, "wall")).toEqual(["main 10000000", "main parse 20000000"]);
  });

  it("keeps label sets apart, and ticks without one", () => {
    const main = node("main", { ticks: [[1, "/a"], [2, "/b"], [3, "/a"], [4]] });

    const profiles = convert([main]);

    expect(samplesOf(profiles, "process_cpu")).toEqual([
      "main 4000000",
      "main {route=/a} 4000000",
      "main {route=/b} 2000000",
    ]);
    expect(samplesOf(profiles, "wall")).toEqual([
      "main 10000000",
      "main {route=/a} 20000000",
      "main {route=/b} 10000000",
    ]);
  });

  it("takes the mean interval of the window, between the asked one and twice that", () => {
    const wall = (durationMicros: number) =>
      samplesOf(convert([node("main", { ticks: [[0], [0]] })], { endTime: durationMicros }), "wall");

    expect(wall(24_000)).toEqual(["main 24000000"]);
    expect(wall(1_000)).toEqual(["main 20000000"]);
    expect(wall(1_000_000)).toEqual(["main 40000000"]);
  });

  it("counts an idle thread as no wall time, and loses none of the CPU that its ticks counted", () => {
    const idle = node("(idle)", { ticks: [[0.5, "/a"], [0]] });

    const profiles = convert([idle, node("main", { ticks: [[1]] })], { endTime: 30_000 });

    const cpu = profiles.get("process_cpu");
    expect(samplesOf(profiles, "wall")).toEqual(["main 10000000"]);
    expect(cpu?.samples.values.reduce((sum, value) => sum + value, 0n)).toBe(1_500_000n);
    expect(samplesOf(convert([idle]), "process_cpu")).toEqual(["Node.js (program) 500000"]);
  });

  it("names what is no JavaScript function, and gives collections to the code they interrupt", () => {
    const profiles = convert(
      [node("(program)", { ticks: [[2, "/a"]] }), node("(garbage collector)", { ticks: [[3, "/a"]] })],
      { nonJSThreadsCpuTime: 5 * MS },
    );

    expect(samplesOf(profiles, "wall")).toEqual([
      "Node.js (program) 10000000",
      "Node.js Garbage Collection {route=/a} 10000000",
    ]);
    expect(samplesOf(profiles, "process_cpu")).toEqual([
      "Node.js (program) 2000000",
      "Node.js Garbage Collection {route=/a} 3000000",
      "Node.js Non JS threads activity 5000000",
    ]);
  });

  it("keeps a user's function that has the name of a runtime state", () => {
    const idle = node("(idle)", { scriptName: "/app.js", ticks: [[1]] });

    expect(samplesOf(convert([idle]), "wall")).toEqual(["(idle) 10000000"]);
  });

  it("keeps names apart from files and lines, and gives nameless functions one name", () => {
    const profiles = convert([
      node("handle", { scriptName: "file:///srv/a%20b.mjs?v=1", lineNumber: 12, ticks: [[1]] }),
      node("", { scriptName: "/srv/c.cjs", lineNumber: 3, ticks: [[1]] }),
      node("readSync", { scriptName: "node:fs", lineNumber: 700, ticks: [[1]] }),
    ]);

    const profile = profiles.get("wall");
    if (profile === undefined) throw new Error("no wall profile");
    const rows = Array.from({ length: profile.functions.length }, (_, row) => [
      profile.strings[profile.functions.name[row] ?? 0],
      profile.strings[profile.functions.file[row] ?? 0],
      Number(profile.functions.startLine[row]),
    ]);
    expect(rows.sort()).toEqual([
      ["(anonymous)", "/srv/c.cjs", 3],
      ["handle", "/srv/a b.mjs", 12],
      ["readSync", "node:fs", 700],
    ]);
  });

  it("leaves the SDK's own wrappers out of the stacks below them, but not their own time", () => {
    const scriptName = new URL("../index.ts", import.meta.url).href;
    const handler = node("handler", { ticks: [[1]] });
    const theirs = node("run", { scriptName: "file:///srv/run.js", children: [handler] });
    const ours = node("tagWrapper", { scriptName, ticks: [[2]], children: [theirs] });

    const middleware = node(expressLabels().name, { scriptName, children: [ours] });

    expect(koaLabels().name).toBe(expressLabels().name);
    expect(samplesOf(convert([node("main", { children: [middleware] })]), "process_cpu")).toEqual([
      "main run handler 1000000",
      "main tagWrapper 2000000",
    ]);
  });

  it("leaves the span processor's wrappers out, wherever that package lies", () => {
    const scriptName = "file:///srv/node_modules/@pyroscope-ts/otel-span-profiles/dist/span-profiles.js";
    const handler = node("handler", { ticks: [[1]] });
    const theirs = node("runInContext", { scriptName: "file:///srv/run.js", children: [handler] });
    const around = node("runInSpanOf", { scriptName, children: [theirs] });
    const patched = node("runInContext", { scriptName, children: [around] });

    expect(samplesOf(convert([node("main", { children: [patched] })]), "process_cpu")).toEqual([
      "main runInContext handler 1000000",
    ]);
  });

  it("conserves every nanosecond of CPU", () => {
    const deep = Array.from({ length: 300 }).reduce<TimeNode>(
      (child, _, i) => node(`f${i}`, { ticks: [i % 2 === 0 ? [1] : [1, "/a"]], children: [child] }),
      node("leaf", { ticks: [[1]] }),
    );

    const cpu = convert([deep], { nonJSThreadsCpuTime: 7 }).get("process_cpu");

    expect(cpu?.samples.values.reduce((sum, value) => sum + value, 0n)).toBe(BigInt(301 * MS + 7));
  });

  it("keeps the sum where samples are fractions of a nanosecond", () => {
    const children = Array.from({ length: 10 }, (_, i) => node(`f${i}`, { ticks: [[0.4 / MS]] }));

    const cpu = convert(children).get("process_cpu");

    expect(cpu?.samples.values.reduce((sum, value) => sum + value, 0n)).toBe(4n);
  });

  it("divides a function's time among its lines, and loses none of it", () => {
    const hot = node("hot", { scriptId: 7, lineNumber: 10, columnNumber: 3, ticks: [[1], [0.000_001]] });
    const callFrame = { functionName: "hot", scriptId: "7", url: "", lineNumber: 9, columnNumber: 2 };
    const lineNodes = [
      { id: 1, callFrame: { ...callFrame, functionName: "(root)" }, children: [2] },
      { id: 2, callFrame, positionTicks: [12, 14, 15].map((line) => ({ line, ticks: 1 })) },
    ];

    const cpu = convert([hot, node("cold", { lineNumber: 5, ticks: [[1]] })], {}, lineNodes).get(
      "process_cpu",
    );

    if (cpu === undefined) throw new Error("no CPU profile");
    const { samples, lines } = cpu;
    const rows = Array.from({ length: samples.length }, (_, i) => [
      Number(lines.line[samples.location[i] ?? 0]),
      Number(samples.values[i]),
    ]);
    expect(rows.map(([line]) => line)).toEqual([5, 12, 14, 15]);
    expect(rows.reduce((sum, [, value = 0]) => sum + value, 0)).toBe(2 * MS + 1);
    expect(rows[1]?.[1]).toBeCloseTo(MS / 3, -1);
    expect(cpu.functions.length).toBe(2);
  });

  it("makes no profile of nothing", () => {
    expect(convert([node("main"), node("(idle)", { ticks: [[0]] })]).size).toBe(0);
  });

  it("pauses every few nodes, so that the event loop can turn", () => {
    const children = Array.from({ length: 1000 }, (_, i) => node(`f${i}`, { ticks: [[1]] }));
    const work = convertTimeTree(
      [
        {
          tree: { topDownRoot: node("(root)", { children }), startTime: 0, endTime: 0 },
          labelsOf: () => undefined,
        },
      ],
      { types: ["wall"], intervalMicros: 10_000, startUnixNanos: 0n },
    );

    let pauses = 0;
    while (work.next().done !== true) pauses++;

    expect(pauses).toBeGreaterThan(10);
  });
});
