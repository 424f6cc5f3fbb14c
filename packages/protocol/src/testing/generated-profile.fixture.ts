import type { Profile } from "../profile/profile.ts";
import { ProfileBuilder } from "../profile/profile-builder.ts";

/**
 * A CPU profile of a generated program: stacks 10 to 60 deep over a fifth as many functions as samples, two labels.
 * The same `sampleCount` gives the same profile.
 */
export function generateProfile(sampleCount: number): Profile {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: 10_000_000n,
  });
  const mapping = builder.mapping({ start: 4096n, limit: 2n ** 47n, file: "/usr/bin/node", buildId: "1f8b" });
  const functionCount = Math.ceil(sampleCount / 5) + 10;
  const locations = Array.from({ length: functionCount * 2 }, (_, i) => {
    const file = `/srv/shop/src/room-${i % 37}/handler-${i % 211}.js`;
    const row = builder.function({ name: `handleSomething${i >> 1}`, file, startLine: i % 500 });
    return builder.location({
      mapping,
      address: BigInt(4096 + i * 16),
      lines: [{ function: row, line: i % 900 }],
    });
  });
  const random = createRandom();
  for (let sample = 0; sample < sampleCount; sample++) {
    const depth = 10 + (random() % 51);
    // Near the root few different functions, near the leaf all of them.
    const stack = Array.from(
      { length: depth },
      (_, i) => locations[random() % Math.min(locations.length, 4 << Math.min(depth - i, 20))]!,
    );
    builder.addSample(
      stack,
      [10_000_000 * (1 + (random() % 20))],
      [
        { key: "route", text: `/route/${random() % 40}` },
        { key: "span_id", text: (random() * 4099).toString(16).padStart(16, "0") },
      ],
    );
  }
  return builder.build();
}

/** A linear congruential generator (Numerical Recipes): fixtures must not differ between runs. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 8;
  };
}
