import {
  buildTree,
  decodePprof,
  diffTreeToFlamebearer,
  formatCollapsed,
  profileToStackList,
  treeToFlamebearer,
} from "@pyroscope-ts/protocol";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery, T0 } from "./testing/query-fixture.ts";

const RANGE_MS = 1000;

let fixture: QueryFixture;
let runCount = 0;

beforeAll(async () => {
  fixture = await createQueryFixture();
});

afterAll(async () => {
  await fixture.store.close();
});

interface DrawnProfile {
  readonly offsetMs: number;
  readonly env: string;
  readonly stacks: Readonly<Record<string, number>>;
}

const stack = fc.array(fc.constantFrom("a", "b", "c@x.js:1", "c@x.js:2"), { minLength: 1, maxLength: 4 });
const drawnProfile: fc.Arbitrary<DrawnProfile> = fc.record({
  offsetMs: fc.integer({ min: -50, max: RANGE_MS + 50 }),
  env: fc.constantFrom("prod", "stage", ""),
  stacks: fc.dictionary(
    stack.map((frames) => frames.join(";")),
    fc.integer({ min: 1, max: 2 ** 40 }),
    { maxKeys: 5, noNullPrototype: true },
  ),
});
const drawn = fc.array(drawnProfile, { maxLength: 12 });

/** Stores the profiles under a service of their own, so that runs do not see each other. */
async function addAll(profiles: readonly DrawnProfile[]): Promise<string> {
  const service = `run-${++runCount}`;
  await fixture.store.add(
    profiles
      .filter(({ stacks }) => Object.keys(stacks).length > 0)
      .map(({ offsetMs, env, stacks }) => ({
        timeUnixNanos: nanosAt(offsetMs),
        labels: { service_name: service, ...(env !== "" && { env }) },
        stacks,
      })),
  );
  return service;
}

/** The sums by function names of what a query must find, added up the simple way. */
function bruteForce(profiles: readonly DrawnProfile[], env: RegExp): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const found = profiles.filter((one) => one.offsetMs >= 0 && one.offsetMs <= RANGE_MS && env.test(one.env));
  for (const [text, value] of found.flatMap(({ stacks }) => Object.entries(stacks))) {
    const path = text.replaceAll(/@x\.js:\d/g, "");
    sums.set(path, (sums.get(path) ?? 0) + value);
  }
  return sums;
}

function sumOf(sums: ReadonlyMap<string, number>): number {
  return [...sums.values()].reduce((sum, value) => sum + value, 0);
}

function parseCollapsed(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

// Dozens of inserts and queries each; the default of 5 s is short for a busy machine.
describe("totals of queries", { timeout: 60_000 }, () => {
  it("are the sums of all samples in tree, text and pprof alike", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.constantFrom("prod", "p.*|st.*", ""), async (profiles, env) => {
        const service = await addAll(profiles);
        const query = stackQuery({ selector: `{service_name="${service}",env=~"${env}"}` });
        const expected = bruteForce(profiles, new RegExp(`^(?:${env})$`));

        const tree = await fixture.queries.selectTree(query);
        const text = await fixture.queries.exportStacks({ ...query, format: "collapsed" });
        const pprof = await fixture.queries.exportStacks({ ...query, format: "pprof" });

        expect(parseCollapsed(new TextDecoder().decode(text.value))).toEqual(expected);
        expect(treeToFlamebearer(tree.value).numTicks).toBe(sumOf(expected));
        const decoded = decodePprof(pprof.value);
        expect(decoded.samples.values.reduce((sum, value) => sum + value, 0n)).toBe(BigInt(sumOf(expected)));
        const pprofTree = buildTree(profileToStackList(decoded, 0));
        expect(formatCollapsed(pprofTree)).toBe(formatCollapsed(tree.value));
      }),
      { numRuns: 25 },
    );
  });

  it("are conserved by any limit of nodes, in single trees and in diffs", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.integer({ min: 1, max: 8 }), async (profiles, maxNodes) => {
        const service = await addAll(profiles);
        const left = stackQuery({ selector: `{service_name="${service}",env="prod"}`, maxNodes });
        const right = stackQuery({ selector: `{service_name="${service}",env!="prod"}`, maxNodes });

        const tree = await fixture.queries.selectTree(left);
        const diff = await fixture.queries.selectDiffTree({ left, right });

        const leftTotal = sumOf(bruteForce(profiles, /^prod$/));
        const rightTotal = sumOf(bruteForce(profiles, /^(stage)?$/));
        expect(tree.value.total[0]).toBe(leftTotal);
        expect(diffTreeToFlamebearer(diff.value)).toMatchObject({
          leftTicks: leftTotal,
          rightTicks: rightTotal,
          numTicks: leftTotal + rightTotal,
        });
      }),
      { numRuns: 20 },
    );
  });

  it("add up over adjacent ranges and over the buckets of a time series", async () => {
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.integer({ min: 0, max: RANGE_MS - 1 }),
        fc.integer({ min: 1, max: 300 }),
        async (profiles, splitMs, stepMs) => {
          const service = await addAll(profiles);
          const selector = `{service_name="${service}"}`;
          const endUnixMillis = T0 + RANGE_MS;
          const totalOf = async (startUnixMillis: number, until: number): Promise<number> => {
            const query = stackQuery({ selector, startUnixMillis, endUnixMillis: until });
            return (await fixture.queries.selectTree(query)).value.total[0]!;
          };

          const before = await totalOf(T0, T0 + splitMs);
          const after = await totalOf(T0 + splitMs + 1, endUnixMillis);
          const lastEdge = T0 + Math.floor(RANGE_MS / stepMs) * stepMs;
          const covered = await totalOf(T0 - stepMs + 1, lastEdge);
          const query = { ...stackQuery({ selector }), stepMs, groupBy: [] };
          const [series] = (await fixture.queries.selectTimeSeries(query)).value;

          expect(before + after).toBe(sumOf(bruteForce(profiles, /.*/)));
          expect((series?.values ?? new Float64Array()).reduce((sum, value) => sum + value, 0)).toBe(covered);
        },
      ),
      { numRuns: 25 },
    );
  });
});
