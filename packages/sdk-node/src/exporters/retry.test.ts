import { describe, expect, it } from "vitest";
import { adviceForStatus, parseRetryAfter, retryDelayMs } from "./retry.ts";

describe("retryDelayMs", () => {
  it("doubles from half a second up to the limit", () => {
    const delays = [1, 2, 3, 4, 100].map((failures) => retryDelayMs(failures, undefined, 3000, () => 1));

    expect(delays).toEqual([500, 1000, 2000, 3000, 3000]);
  });

  it("is between half of that and all of it", () => {
    expect(retryDelayMs(2, undefined, 3000, () => 0)).toBe(500);
    expect(retryDelayMs(2, undefined, 3000, () => 0.5)).toBe(750);
  });

  it("waits as long as the server asks, but not for ever", () => {
    expect(retryDelayMs(1, 20_000, 3000, () => 0)).toBe(20_000);
    expect(retryDelayMs(1, 10, 3000, () => 1)).toBe(500);
    expect(retryDelayMs(1, 86_400_000, 3000, () => 0)).toBe(300_000);
  });
});

describe("adviceForStatus", () => {
  it.for([
    [301, "never"],
    [400, "never"],
    [401, "never"],
    [403, "never"],
    [404, "never"],
    [408, "patient"],
    [413, "never"],
    [422, "never"],
    [429, "patient"],
    [500, "limited"],
    [501, "limited"],
    [502, "patient"],
    [503, "patient"],
    [504, "patient"],
  ] as const)("takes %d as %s", ([status, kind]) => {
    expect(adviceForStatus(status, undefined, 0).kind).toBe(kind);
  });

  it("passes Retry-After on where the upload is sent again", () => {
    expect(adviceForStatus(429, "7", 0).afterMs).toBe(7000);
    expect(adviceForStatus(400, "7", 0).afterMs).toBeUndefined();
  });
});

describe("parseRetryAfter", () => {
  it("reads seconds and dates, and ignores the rest", () => {
    const now = Date.UTC(2026, 0, 1);

    expect(parseRetryAfter("120", now)).toBe(120_000);
    expect(parseRetryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30_000);
    expect(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
    expect(parseRetryAfter("soon", now)).toBeUndefined();
    expect(parseRetryAfter(undefined, now)).toBeUndefined();
  });
});
