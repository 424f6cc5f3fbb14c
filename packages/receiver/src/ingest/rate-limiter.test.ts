import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBinaryBytes, RateLimiter } from "./rate-limiter.ts";

const KIBIBYTE = 1024;
const LIMITS = { rateBytesPerSecond: 10 * KIBIBYTE, burstBytes: 20 * KIBIBYTE, maxProfileSizeBytes: 0 };

function createLimiter() {
  const time = { millis: 0 };
  return { time, limiter: new RateLimiter(() => time.millis) };
}

describe("RateLimiter", () => {
  it("lets a burst through, then as much as the rate gives", () => {
    const { limiter, time } = createLimiter();

    expect(limiter.take("a", 20 * KIBIBYTE, LIMITS)).toBeUndefined();
    expect(limiter.take("a", 1, LIMITS)?.reason).toBe("rate_limited");
    time.millis = 1000;
    expect(limiter.take("a", 10 * KIBIBYTE, LIMITS)).toBeUndefined();
    expect(limiter.take("a", 1, LIMITS)).toBeDefined();
  });

  it("says in Pyroscope's words what was exceeded, and when there is room", () => {
    const { limiter } = createLimiter();
    limiter.take("a", 15 * KIBIBYTE, LIMITS);

    expect(limiter.take("a", 30 * KIBIBYTE, LIMITS)).toMatchObject({
      message: "push rate limit (10 KiB) exceeded while adding 30 KiB",
      retryAfterSeconds: 2,
    });
    expect(limiter.take("a", 6 * KIBIBYTE, LIMITS)).toMatchObject({ retryAfterSeconds: 1 });
  });

  it("has a bucket for each tenant, and takes nothing from it for what it refuses", () => {
    const { limiter } = createLimiter();
    limiter.take("a", 20 * KIBIBYTE, LIMITS);

    expect(limiter.take("b", 21 * KIBIBYTE, LIMITS)).toBeDefined();
    expect(limiter.take("b", 20 * KIBIBYTE, LIMITS)).toBeUndefined();
  });

  it("always has room for a profile of the largest size", () => {
    const { limiter } = createLimiter();
    const limits = { ...LIMITS, maxProfileSizeBytes: 100 * KIBIBYTE };

    expect(limiter.take("a", 100 * KIBIBYTE, limits)).toBeUndefined();
    expect(limiter.take("a", 1, limits)).toBeDefined();
  });

  it("limits nothing at a rate of 0", () => {
    const { limiter } = createLimiter();

    expect(limiter.take("a", 2 ** 40, { ...LIMITS, rateBytesPerSecond: 0 })).toBeUndefined();
  });

  it("keeps to the rate whatever comes when", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5000), fc.nat(30 * KIBIBYTE))), (pushes) => {
        const { limiter, time } = createLimiter();
        let taken = 0;
        for (const [delay, bytes] of pushes) {
          time.millis += delay;
          if (limiter.take("a", bytes, LIMITS) === undefined) taken += bytes;
        }
        const most = LIMITS.burstBytes + (time.millis / 1000) * LIMITS.rateBytesPerSecond;
        expect(taken).toBeLessThanOrEqual(most + 1);
      }),
    ));

  it("forgets tenants that were not seen for long, when there are very many", () => {
    const { limiter, time } = createLimiter();
    limiter.take("old", 20 * KIBIBYTE, LIMITS);
    time.millis = 1;
    for (let i = 0; i < 10_000; i++) limiter.take(`t${i}`, 1, LIMITS);

    expect(limiter.take("old", 20 * KIBIBYTE, LIMITS)).toBeUndefined();
  });
});

describe("formatBinaryBytes", () => {
  it.for([
    [0, "0 B"],
    [9, "9 B"],
    [12, "12 B"],
    [1024, "1.0 KiB"],
    [12_288, "12 KiB"],
    [4_194_304, "4.0 MiB"],
    [10 * 1024 ** 3, "10 GiB"],
  ] as const)("prints %d as %s", ([bytes, text]) => {
    expect(formatBinaryBytes(bytes)).toBe(text);
  });
});
