import {
  decodePprofWithHashes,
  labelSetFromRecord,
  type Profile,
  ProfileBuilder,
} from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { hashLabels, NO_LINE, ProfileHasher, TEXT_SEED, visitFrames } from "./hash-profile.ts";
import { goLikePprof } from "./testing/go-like-profile.ts";

interface FrameOptions {
  readonly name?: string;
  readonly systemName?: string;
  readonly file?: string;
  readonly startLine?: number;
  readonly line?: number;
  readonly mappingFile?: string;
  readonly buildId?: string;
  readonly address?: bigint;
}

const hasher = new ProfileHasher();

function newBuilder(...before: readonly string[]): ProfileBuilder {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
  // Moves all rows, which no id may depend on.
  for (const name of before) builder.function({ name });
  return builder;
}

function addFrame(builder: ProfileBuilder, options: FrameOptions): number {
  const mapping = builder.mapping({ file: options.mappingFile ?? "app", buildId: options.buildId ?? "b1" });
  const { name = "main", systemName = "_main", file = "main.c", startLine = 1, line = 2 } = options;
  const fn = builder.function({ name, systemName, file, startLine });
  return builder.location({ mapping, address: options.address ?? 0x10n, lines: [{ function: fn, line }] });
}

/** Ids of the stacks of a profile, in the order of its samples. */
function stacksOf(profile: Profile): readonly bigint[] {
  const { stacks } = hasher.hash(profile);
  return [...new BigUint64Array(stacks.buffer)];
}

function stackOf(...frames: readonly FrameOptions[]): bigint {
  const builder = newBuilder();
  builder.addSample(
    frames.map((frame) => addFrame(builder, frame)),
    [1],
  );
  return stacksOf(builder.build())[0]!;
}

function addressStack(buildId: string, address: bigint): bigint {
  const builder = newBuilder();
  const mapping = builder.mapping({ file: "app", buildId });
  builder.addSample([builder.location({ mapping, address })], [1]);
  return stacksOf(builder.build())[0]!;
}

describe("ProfileHasher", () => {
  it("names a stack by its frames alone, whatever else is in the profile", () => {
    const builder = newBuilder("other", "functions");
    builder.addSample([addFrame(builder, { name: "other" })], [1]);
    builder.addSample([addFrame(builder, { name: "leaf" }), addFrame(builder, {})], [1]);

    expect(stacksOf(builder.build())[1]).toBe(stackOf({ name: "leaf" }, {}));
  });

  it("keeps its ids: they are part of the storage format", () => {
    expect(stackOf({ name: "leaf" }, {})).toMatchInlineSnapshot(`2529074388232293941n`);
    expect(addressStack("b1", 0x1234n)).toMatchInlineSnapshot(`8043441822864492933n`);
    expect(hashLabels(labelSetFromRecord({ service_name: "shop", __name__: "wall" }))).toMatchInlineSnapshot(
      `11410544504527792803n`,
    );
  });

  it.for<readonly [string, FrameOptions]>([
    ["name", { name: "other" }],
    ["system name", { systemName: "other" }],
    ["file", { file: "other" }],
    ["start line", { startLine: 3 }],
    ["line", { line: 3 }],
    ["mapping", { mappingFile: "other" }],
  ])("tells frames apart by their %s", ([, options]) => {
    expect(stackOf(options)).not.toBe(stackOf({}));
  });

  it("gives a frame with a name one id over builds and addresses", () => {
    expect(stackOf({ buildId: "b2", address: 0x20n })).toBe(stackOf({}));
  });

  it("tells frames without a name apart by build id and address", () => {
    const ids = [
      addressStack("b1", 1n),
      addressStack("b1", 2n),
      addressStack("b2", 1n),
      addressStack("b1", 1n << 40n),
    ];

    expect(new Set(ids).size).toBe(4);
  });

  it("tells a frame without a name but with a line apart by its address", () => {
    const ids = [1n, 2n].map((address) => stackOf({ name: "", systemName: "", file: "", address }));

    expect(ids[0]).not.toBe(ids[1]);
  });

  it("tells stacks apart by order, by depth and by what is repeated", () => {
    const a: FrameOptions = { name: "a" };
    const b: FrameOptions = { name: "b" };
    const ids = [[a, b], [b, a], [a], [a, a], [a, a, a], [a, b, a], []].map((frames) => stackOf(...frames));

    expect(new Set(ids).size).toBe(ids.length);
  });

  it("tells an inlined frame from a called one", () => {
    const builder = newBuilder();
    const [inner, outer] = ["inner", "outer"].map((name) => builder.function({ name }));
    const inlined = builder.location({ lines: [{ function: inner! }, { function: outer! }] });
    const called = [inner!, outer!].map((fn) => builder.location({ lines: [{ function: fn }] }));
    builder.addSample([inlined], [1]);
    builder.addSample(called, [1]);

    const [first, second] = stacksOf(builder.build());
    expect(first).not.toBe(second);
  });

  it("visits the frames of a sample root first, inlined ones in place", () => {
    const builder = newBuilder();
    const functions = ["main", "outer", "inner", "leaf"].map((name) => builder.function({ name }));
    const [main, inlined, leaf] = [
      builder.location({ lines: [{ function: functions[0]! }] }),
      builder.location({ lines: [{ function: functions[2]! }, { function: functions[1]! }] }),
      builder.location({ lines: [{ function: functions[3]! }] }),
    ];
    const unknown = builder.location({ address: 7n });
    builder.addSample([unknown, leaf!, inlined!, main!], [1]);
    const profile = builder.build();
    const names: string[] = [];

    visitFrames(hasher.hash(profile), 0, (_, __, location, line) => {
      const fn = line === NO_LINE ? undefined : profile.functions.name[profile.lines.function[line]!];
      names.push(fn === undefined ? `at ${profile.locations.address[location]}` : profile.strings[fn]!);
    });

    expect(names).toEqual(["main", "outer", "inner", "leaf", "at 7"]);
  });

  it("names stacks the same by hashes of strings that decoding made", () => {
    const bytes = goLikePprof({ timeUnixMillis: 1_760_000_000_000 });
    const { profile, stringHashes } = decodePprofWithHashes(bytes, {}, TEXT_SEED);

    expect(hasher.hash(profile, stringHashes)).toEqual(hasher.hash(profile));
  });

  it("has no collision among a hundred thousand stacks of a few frames", () => {
    const builder = newBuilder();
    const locations = Array.from({ length: 50 }, (_, i) => addFrame(builder, { name: `f${i}` }));
    for (let i = 0; i < 100_000; i++) {
      const stack = [i % 50, Math.trunc(i / 50) % 50, Math.trunc(i / 2500) % 50].map((k) => locations[k]!);
      if (i >= 62_500) stack.push(...stack);
      builder.addSample(stack, [1]);
    }
    const profile = builder.build();

    expect(new Set(stacksOf(profile)).size).toBe(profile.samples.length);
    expect(profile.samples.length).toBe(100_000);
  });
});

describe("hashLabels", () => {
  it("tells names from values and labels from each other", () => {
    const sets = [{ a: "b" }, { ab: "" }, { a: "", b: "" }, { b: "a" }, {}];

    expect(new Set(sets.map((set) => hashLabels(labelSetFromRecord(set)))).size).toBe(sets.length);
  });
});
