import { encodePprof, type Profile, ProfileBuilder } from "@pyroscope-ts/protocol";
import { seededRandom } from "./seeded-random.ts";

/** Shape of a generated profile; the defaults are those of a Go service: 555 samples, about 44 kB as pprof. */
export interface GoLikeOptions {
  readonly sampleCount?: number;
  readonly functionCount?: number;
  /** Different stacks of the service, of which each profile has some, the common ones most often. */
  readonly stackCount?: number;
  /** Share of the samples whose stack no other profile has, from 0 to 1. */
  readonly newStackShare?: number;
  /** Profiles of one seed share functions and stacks; the samples of two times differ. */
  readonly seed?: number;
  readonly timeUnixMillis: number;
}

/** A generated profile of a Go service: deep stacks that share their roots, a few inlined frames. */
function goLikeProfile(options: GoLikeOptions): Profile {
  const { sampleCount = 555, functionCount = 220, seed = 1, timeUnixMillis } = options;
  const { stackCount = 4000, newStackShare = 0.02 } = options;
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
    timeUnixNanos: BigInt(timeUnixMillis) * 1_000_000n,
    durationNanos: 15_000_000_000n,
  });
  const locations = addLocations(builder, functionCount, seed);
  const random = seededRandom(seed ^ timeUnixMillis);
  const chosen = new Set<number>();
  while (chosen.size < sampleCount) {
    // The product of two choices prefers small numbers: some stacks are in every profile, most in few.
    const common = Math.trunc(random() * random() * stackCount);
    const isNew = random() < newStackShare;
    chosen.add(isNew ? stackCount + Math.trunc(random() * 2 ** 30) : common);
  }
  for (const stack of chosen) {
    const value = 10_000_000n * BigInt(1 + Math.trunc(random() * 5));
    builder.addSample(
      stackOf(stack, seed, functionCount).map((node) => locations[node]!),
      [value],
    );
  }
  return builder.build();
}

function addLocations(builder: ProfileBuilder, functionCount: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  const mapping = builder.mapping({ file: "/app/server", buildId: `build-${seed}`, start: 0x400000n });
  const locations: number[] = [];
  for (let i = 0; i < functionCount; i++) {
    const name = `example/service${seed}/pkg${i % 37}.(*Worker${i}).Handle`;
    const fn = builder.function({
      name,
      systemName: name,
      file: `/src/pkg${i % 37}/worker${i}.go`,
      startLine: i,
    });
    const lines = [{ function: fn, line: i + Math.trunc(random() * 40) }];
    if (i > 0 && random() < 0.1) lines.push({ function: fn - 1, line: i });
    locations.push(builder.location({ mapping, address: BigInt(0x400000 + 64 * i), lines }));
  }
  return locations;
}

/** Functions of a stack, leaf first: its number says which way it takes through the calls of its service. */
function stackOf(stack: number, seed: number, functionCount: number): readonly number[] {
  const random = seededRandom(Math.imul(stack, 0x9e3779b1) ^ seed);
  const depth = 12 + Math.trunc(random() * 22);
  const nodes = [0];
  for (let node = 1; nodes.length < depth; ) {
    const choice = random() < 0.85 ? 0 : 1 + Math.trunc(random() * 2);
    node = (node * 31 + choice * 7 + nodes.length) % functionCount;
    nodes.push(node);
  }
  return nodes.reverse();
}

/** {@link goLikeProfile} as pprof bytes, not compressed. */
export function goLikePprof(options: GoLikeOptions): Uint8Array {
  return encodePprof(goLikeProfile(options));
}
