import { gunzipSync } from "node:zlib";
import { decodePprof, decodeTree } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery } from "./testing/query-fixture.ts";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

describe("exportStacks", () => {
  it("makes a pprof with every frame, its line, mapping and address", async () => {
    await fixture.store.add([
      {
        timeUnixNanos: nanosAt(1),
        stacks: { "main@m.js:3;run@r.js:5;~fast@f.js:7": 9, "main@m.js:3;0x1f!/bin/app": 1 },
      },
    ]);

    const { value } = await fixture.queries.exportStacks({ ...stackQuery(), format: "pprof" });

    const profile = decodePprof(value);
    expect(profile).toMatchObject({
      sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
      defaultSampleType: "cpu",
      periodType: { type: "cpu", unit: "nanoseconds" },
      period: 1_000_000_000n,
      timeUnixNanos: nanosAt(1000),
      durationNanos: 0n,
    });
    expect(describeSamples(profile).sort()).toEqual([
      "1: 0x1f /bin/app | main m.js:3 node",
      "9: fast f.js:7 < run r.js:5 node | main m.js:3 node",
    ]);
  });

  it.for([
    ["memory:inuse_space:bytes:space:bytes", 524_288n],
    ["wall:wall:nanoseconds:wall:nanoseconds", 1n],
  ] as const)("states the period of %s", async ([type, period]) => {
    const { value } = await fixture.queries.exportStacks({
      ...stackQuery({ profileType: type }),
      format: "pprof",
    });

    expect(decodePprof(value).period).toBe(period);
  });

  it("is never truncated as pprof or text unless asked for, and compressed when asked for", async () => {
    const stacks = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`main;f${i}`, i + 1]));
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks }]);
    const queries = fixture.withLimits({ maxFlamegraphNodesDefault: 10 });

    const pprof = await queries.exportStacks({
      ...stackQuery({ maxNodes: 5 }),
      format: "pprof",
      compression: "gzip",
    });
    const text = await queries.exportStacks({ ...stackQuery(), format: "collapsed" });
    const cut = await queries.exportStacks({ ...stackQuery({ maxNodes: 5 }), format: "collapsed" });
    const tree = await queries.exportStacks({ ...stackQuery(), format: "tree" });

    expect(decodePprof(gunzipSync(pprof.value)).samples.length).toBe(100);
    expect(new TextDecoder().decode(text.value).trim().split("\n")).toHaveLength(100);
    expect(new TextDecoder().decode(cut.value)).toContain("main;other");
    expect(decodeTree(tree.value).total[0]).toBe(5050);
    expect(decodeTree(tree.value).names).toContain("other");
  });

  it("cuts to the locations next to the leaf and takes leaf lines away for a PGO profile", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { "main@m.js:1;f@x.js:1": 1, "run@m.js:9;f@x.js:2": 2 } },
    ]);

    const cut = await fixture.queries.exportStacks({
      ...stackQuery(),
      format: "pprof",
      keepLocations: 1,
      aggregateCallees: true,
    });

    expect(describeSamples(decodePprof(cut.value))).toEqual(["3: f x.js:0 node"]);
  });

  it("keeps its sample type when there is no data or no time to look at, so that tools open it", async () => {
    const query = { ...stackQuery(), format: "pprof" } as const;

    const empty = await fixture.queries.exportStacks(query);
    const before = await fixture.withLimits({ maxQueryLookbackMs: 1 }).exportStacks(query);

    for (const { value } of [empty, before]) {
      expect(decodePprof(value)).toMatchObject({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    }
  });
});

/** Samples as text, leaf first: `value: line < line it is inlined into mapping | next location`. */
function describeSamples(profile: ReturnType<typeof decodePprof>): string[] {
  const { samples, locations, lines, functions, mappings, strings } = profile;
  return Array.from({ length: samples.length }, (_, sample) => {
    const path = samples.location.subarray(samples.locationStart[sample], samples.locationStart[sample + 1]);
    const texts = Array.from(path, (location) => {
      const [from, until] = [locations.lineStart[location]!, locations.lineStart[location + 1]!];
      const printed = Array.from({ length: until - from }, (_, i) => {
        const fn = lines.function[from + i]!;
        return `${strings[functions.name[fn]!]} ${strings[functions.file[fn]!]}:${lines.line[from + i]}`;
      });
      const place =
        printed.length > 0 ? printed.join(" < ") : `0x${locations.address[location]!.toString(16)}`;
      return `${place} ${strings[mappings.file[locations.mapping[location]!]!]}`;
    });
    return `${samples.values[sample]}: ${texts.join(" | ")}`;
  });
}
