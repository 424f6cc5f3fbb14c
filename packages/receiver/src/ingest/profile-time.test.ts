import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { checkIngestionWindow, resolveProfileTime } from "./profile-time.ts";

const receivedUnixMillis = Date.parse("2026-03-01T12:00:00Z");
const receivedUnixNanos = BigInt(receivedUnixMillis) * 1_000_000n;
const nanosOf = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;
const HOUR_MS = 3_600_000;
const labels = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });

describe("resolveProfileTime on push", () => {
  const resolve = (own: bigint) => resolveProfileTime(own, { receivedUnixMillis, fromUnixNanos: undefined });

  it("keeps the profile's own time to the nanosecond", () => {
    expect(resolve(1_772_366_400_123_456_789n)).toBe(1_772_366_400_123_456_789n);
  });

  it.for([0n, -1n, -(2n ** 63n)])("takes the time of arrival for time_nanos %s", (own) => {
    expect(resolve(own)).toBe(receivedUnixNanos);
  });

  it("keeps a time in 1970, for the window to refuse", () => {
    expect(resolve(1n)).toBe(1n);
  });
});

describe("resolveProfileTime on /ingest", () => {
  const from = nanosOf("2026-03-01T11:59:50Z");
  const resolve = (own: bigint, fromUnixNanos = from) =>
    resolveProfileTime(own, { receivedUnixMillis, fromUnixNanos });

  it("takes `from` for a profile without a time, and for one whose time lies in 1970", () => {
    expect(resolve(0n)).toBe(from);
    expect(resolve(-5n)).toBe(from);
    expect(resolve(nanosOf("1970-12-31T23:59:59.999Z"))).toBe(from);
  });

  it("keeps the profile's own time from 1971 on", () => {
    expect(resolve(nanosOf("1971-01-01T00:00:00Z"))).toBe(nanosOf("1971-01-01T00:00:00Z"));
  });

  it("takes the time of arrival when `from` is the epoch", () => {
    expect(resolve(0n, 0n)).toBe(receivedUnixNanos);
  });
});

describe("checkIngestionWindow", () => {
  const window = { rejectOlderThanMs: HOUR_MS, rejectNewerThanMs: 600_000 };
  const check = (text: string, limits = window) =>
    checkIngestionWindow(nanosOf(text), receivedUnixMillis, limits, labels);
  const subject = `profile with labels '{__name__="cpu", service_name="shop"}' is outside of ingestion window`;

  it("takes what lies on its edges and refuses what lies a millisecond outside", () => {
    expect(check("2026-03-01T11:00:00.000Z")).toBeUndefined();
    expect(check("2026-03-01T12:10:00.000Z")).toBeUndefined();

    expect(check("2026-03-01T10:59:59.999Z")).toMatchObject({
      reason: "not_in_ingestion_window",
      message:
        `${subject} (profile timestamp: 2026-03-01T10:59:59.999Z, the ingestion window starts at ` +
        "2026-03-01T11:00:00.000Z and ends at 2026-03-01T12:10:00.000Z)",
    });
    expect(check("2026-03-01T12:10:00.001Z")).toMatchObject({ reason: "not_in_ingestion_window" });
  });

  it("has no begin or no end where the limit is 0", () => {
    expect(check("1970-01-02T00:00:00Z", { ...window, rejectOlderThanMs: 0 })).toBeUndefined();
    expect(check("2100-01-01T00:00:00Z", { ...window, rejectNewerThanMs: 0 })).toBeUndefined();
    expect(check("2026-03-01T10:00:00Z", { ...window, rejectNewerThanMs: 0 })?.message).toBe(
      `${subject} (profile timestamp: 2026-03-01T10:00:00.000Z, the ingestion window starts at 2026-03-01T11:00:00.000Z)`,
    );
    expect(check("2100-01-01T00:00:00Z", { ...window, rejectOlderThanMs: 0 })?.message).toBe(
      `${subject} (profile timestamp: 2100-01-01T00:00:00.000Z, the ingestion window ends at 2026-03-01T12:10:00.000Z)`,
    );
  });

  it("refuses times that no table can hold, even without a window", () => {
    const unlimited = { rejectOlderThanMs: 0, rejectNewerThanMs: 0 };

    expect(check("2261-12-31T23:59:59.999Z", unlimited)).toBeUndefined();
    expect(check("2262-01-01T00:00:00Z", unlimited)?.reason).toBe("not_in_ingestion_window");
    expect(checkIngestionWindow(2n ** 63n - 1n, receivedUnixMillis, unlimited, labels)?.message).toContain(
      "ends at 2262-01-01",
    );
  });
});
