import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTree } from "../testing/format-tree.ts";
import { profileArbitrary, stackListArbitrary } from "../testing/profile.fixture.ts";
import { profileFromText } from "../testing/profile-from-text.ts";
import { buildTree } from "./build-tree.ts";
import { checkProfile } from "./check-profile.ts";
import { ProfileBuilder } from "./profile-builder.ts";
import { profileToStackList } from "./profile-stacks.ts";
import { type PruneOptions, pruneProfile } from "./prune-profile.ts";
import { pruneTree } from "./prune-tree.ts";
import { totalValues } from "./total-values.ts";

const profile = profileFromText(
  `
    main    main    main  gc
    handle  handle  idle
    parse   query
  `,
  { values: [1, 2, 4, 8] },
);
const is =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name);
const prunings: [string, PruneOptions, string[]][] = [
  [
    "keeps stacks in focus",
    { focus: is("handle") },
    [
      "main total 3 self 0",
      "  handle total 3 self 0",
      "    parse total 1 self 1",
      "    query total 2 self 2",
    ],
  ],
  ["drops ignored stacks", { ignore: is("handle", "gc") }, ["main total 4 self 0", "  idle total 4 self 4"]],
  [
    "takes hidden frames out",
    { hide: is("handle", "main", "gc") },
    ["total total 15 self 8", "idle total 4 self 4", "parse total 1 self 1", "query total 2 self 2"],
  ],
  [
    "takes frames out that are not shown",
    { show: is("handle") },
    ["total total 15 self 12", "handle total 3 self 3"],
  ],
  [
    "looks at hidden frames for focus",
    { focus: is("handle"), hide: is("handle") },
    ["main total 3 self 0", "  parse total 1 self 1", "  query total 2 self 2"],
  ],
  ["changes nothing without options", {}, formatTree(profile)],
];

describe("pruneProfile", () => {
  it.for(prunings)("%s", ([, options, drawing]) => {
    const pruned = pruneProfile(profile, options);

    checkProfile(pruned);
    expect(formatTree(pruned)).toEqual(drawing);
  });

  it("takes one inlined frame out of a location and keeps the others", () => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    const lines = ["inner", "middle", "outer"].map((name) => ({ function: builder.function({ name }) }));
    builder.addSample([builder.location({ address: 16n, lines })], [1]);

    expect(formatTree(pruneProfile(builder.build(), { hide: is("middle") }))).toEqual([
      "outer total 1 self 0",
      "  inner total 1 self 1",
    ]);
  });

  it("keeps a location that has only an address", () => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    builder.addSample([builder.location({ address: 16n })], [1]);

    expect(pruneProfile(builder.build(), { show: is("main") }).samples.location).toHaveLength(1);
  });

  it("conserves totals when it only hides and shows", () =>
    fc.assert(
      fc.property(profileArbitrary(), (drawn) => {
        const pruned = pruneProfile(drawn, { hide: is("main", "parse"), show: is("handle", "main") });
        expect(totalValues(pruned)).toEqual(totalValues(drawn));
      }),
    ));

  it("splits a profile in two by focus and ignore", () =>
    fc.assert(
      fc.property(profileArbitrary(), (drawn) => {
        const [inside, outside] = [
          pruneProfile(drawn, { focus: is("parse") }),
          pruneProfile(drawn, { ignore: is("parse") }),
        ];
        const totals = totalValues(inside).map((value, i) => value + totalValues(outside)[i]!);
        expect(totals).toEqual(totalValues(drawn));
      }),
    ));
});

describe("pruneTree", () => {
  it.for(prunings)("%s", ([, options, drawing]) => {
    expect(formatTree(pruneTree(buildTree(profileToStackList(profile, 0)), options))).toEqual(drawing);
  });

  it("conserves the total when it only hides and shows", () =>
    fc.assert(
      fc.property(stackListArbitrary, (stacks) => {
        const tree = buildTree(stacks);
        expect(pruneTree(tree, { hide: is("main"), show: is("main", "handle") }).total[0]).toBe(
          tree.total[0],
        );
      }),
    ));
});
