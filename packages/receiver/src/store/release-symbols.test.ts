import { labelSetFromRecord, ProfileBuilder } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdmittedProfile } from "./admission.ts";
import type { Store } from "./store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

const MIDNIGHT = 1_760_054_400_000;
const DAY = 86_400_000;
const RELEASES = 50;
const FUNCTIONS = 400;
const STACKS = 1000;

/** A profile of one release: its own build, its own addresses, and one function that has moved since the last. */
function releaseProfile(release: number): AdmittedProfile {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
    durationNanos: 15_000_000_000n,
  });
  const mapping = builder.mapping({ file: "/app/server", buildId: `build-${release}`, start: 0x400000n });
  const locations = Array.from({ length: FUNCTIONS }, (_, i) => {
    const name = `shop/pkg${i % 23}.(*Handler${i}).Serve`;
    const fn = builder.function({
      name,
      systemName: name,
      file: `/src/pkg${i % 23}/handler${i}.go`,
      startLine: i,
    });
    const moved = Math.floor((release + FUNCTIONS - i) / FUNCTIONS);
    const address = BigInt(0x400000 + 64 * i + 8 * release);
    return builder.location({ mapping, address, lines: [{ function: fn, line: 10 * i + moved }] });
  });
  for (let stack = 0; stack < STACKS; stack++) {
    const frames = Array.from(
      { length: 12 },
      (_, depth) => locations[(stack * (depth + 1) + 7 * depth) % FUNCTIONS]!,
    );
    builder.addSample(frames.toReversed(), [BigInt(1 + stack)]);
  }
  return {
    labels: labelSetFromRecord({ __name__: "process_cpu", service_name: "shop" }),
    timeUnixNanos: BigInt(MIDNIGHT + release * 60_000) * 1_000_000n,
    identity: { lo: BigInt(release), hi: 1n },
    ...{ profile: builder.build(), sampleRows: undefined, spanIds: undefined, traceIds: undefined },
  };
}

async function symbolBytes(store: Store): Promise<number> {
  return await withSnapshot(store, everything("a"), async ({ blockSizes }) =>
    blockSizes.reduce((sum, { stacks, frames }) => sum + stacks + frames, 0),
  );
}

describe("symbols of fifty releases of one application", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("take a tenth of what each release has by itself, once they are merged", {
    timeout: 60_000,
  }, async () => {
    const clock = new ManualClock(MIDNIGHT + DAY);
    const store = await directory.open({ clock });
    for (let release = 0; release < RELEASES; release++) {
      await store.append({ tenant: "a", record: Buffer.from("{}"), profiles: [releaseProfile(release)] });
      await store.flush();
    }
    const apart = await symbolBytes(store);
    clock.advance(DAY);
    await store.compact();

    expect(store.status().blockCount).toBe(1);
    expect((await symbolBytes(store)) / apart).toBeLessThanOrEqual(0.1);
  });
});
