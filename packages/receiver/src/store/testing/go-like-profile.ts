import { encodePprof, type Profile, ProfileBuilder } from "@pyroscope-ts/protocol";

/** Shape of a generated profile; the defaults are those of a Go service: 555 samples, about 45 kB as pprof. */
export interface GoLikeOptions {
  readonly sampleCount?: number;
  readonly functionCount?: number;
  /** Profiles of one seed share functions; the samples of two times differ. */
  readonly seed?: number;
  readonly timeUnixMillis: number;
}

/** A generated profile of a Go service: deep stacks that share their roots, a few inlined frames. */
function goLikeProfile(options: GoLikeOptions): Profile {
  const { sampleCount = 555, functionCount = 300, seed = 1, timeUnixMillis } = options;
  const shape = randomOf(seed);
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
    timeUnixNanos: BigInt(timeUnixMillis) * 1_000_000n,
    durationNanos: 15_000_000_000n,
  });
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
    const lines = [{ function: fn, line: i + Math.trunc(shape() * 40) }];
    if (i > 0 && shape() < 0.1) lines.push({ function: fn - 1, line: i });
    locations.push(builder.location({ mapping, address: BigInt(0x400000 + 64 * i), lines }));
  }
  // Choices walk a fixed tree, so that profiles of one seed meet the same stacks again, the common ones often.
  const random = randomOf(seed ^ timeUnixMillis);
  for (let i = 0; i < sampleCount; i++) {
    const stack: number[] = [0];
    const depth = 12 + Math.trunc(random() * 22);
    for (let node = 1; stack.length < depth; ) {
      const choice = random() < 0.85 ? 0 : 1 + Math.trunc(random() * 2);
      node = (node * 31 + choice * 7 + stack.length) % functionCount;
      stack.push(locations[node]!);
    }
    builder.addSample(stack.reverse(), [10_000_000n * BigInt(1 + Math.trunc(random() * 5))]);
  }
  return builder.build();
}

/** {@link goLikeProfile} as pprof bytes, not compressed. */
export function goLikePprof(options: GoLikeOptions): Uint8Array {
  return encodePprof(goLikeProfile(options));
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
