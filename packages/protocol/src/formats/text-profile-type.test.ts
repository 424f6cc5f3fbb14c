import { describe, expect, it } from "vitest";
import { resolveTextProfileType } from "./text-profile-type.ts";

/** `service name:type:unit:period type:period unit` and the scale. */
function show(appName: string, sampleRateHz: number): string {
  const { serviceName, profileName, sampleType, periodType, scale } = resolveTextProfileType(
    appName,
    sampleRateHz,
  );
  const { type, unit } = sampleType;
  return `${serviceName} ${profileName}:${type}:${unit}:${periodType?.type ?? ""}:${periodType?.unit ?? ""} x${scale}`;
}

describe("resolveTextProfileType", () => {
  it.for([
    ["shop", 100, "shop process_cpu:cpu:nanoseconds:cpu:nanoseconds x10000000"],
    ["my.shop.cpu", 100, "my.shop process_cpu:cpu:nanoseconds:cpu:nanoseconds x10000000"],
    ["shop.itimer", 3, "shop process_cpu:cpu:nanoseconds:cpu:nanoseconds x333333333"],
    ["shop.cpu", 0, "shop process_cpu:samples:count:: x1"],
    ["shop.wall", 100, "shop wall:wall:nanoseconds:cpu:nanoseconds x10000000"],
    ["shop.wall", 0, "shop wall:samples:count:: x1"],
    ["shop.seconds", 1, "shop wall:wall:nanoseconds:cpu:nanoseconds x1000000000"],
    ["shop.milliseconds", 1000, "shop wall:wall:nanoseconds:cpu:nanoseconds x1000000"],
    ["shop.microseconds", 1, "shop wall:wall:nanoseconds:cpu:nanoseconds x1000000000"],
    ["shop.nanoseconds", 1, "shop wall:wall:nanoseconds:cpu:nanoseconds x1000000000"],
    ["shop.inuse_objects", 100, "shop memory:inuse_objects:count:: x1"],
    ["shop.alloc_objects", 100, "shop memory:alloc_objects:count:: x1"],
    ["shop.inuse_space", 100, "shop memory:inuse_space:bytes:: x1"],
    ["shop.alloc_space", 100, "shop memory:alloc_space:bytes:: x1"],
    ["shop.bytes", 100, "shop memory:samples:bytes:: x1"],
    ["shop.goroutines", 100, "shop goroutine:goroutines:count:: x1"],
    ["shop.mutex_count", 100, "shop mutex:contentions:count:: x1"],
    ["shop.mutex_duration", 100, "shop mutex:delay:nanoseconds:: x1"],
    ["shop.block_count", 100, "shop block:contentions:count:: x1"],
    ["shop.lock_count", 100, "shop block:contentions:count:: x1"],
    ["shop.block_duration", 100, "shop block:delay:nanoseconds:: x1"],
    ["shop.lock_duration", 100, "shop block:delay:nanoseconds:: x1"],
    ["shop.alloc_in_new_tlab_objects", 100, "shop memory:alloc_in_new_tlab_objects:count:: x1"],
    ["shop.alloc_outside_tlab_objects", 100, "shop memory:alloc_outside_tlab_objects:count:: x1"],
    ["shop.alloc_in_new_tlab_bytes", 100, "shop memory:alloc_in_new_tlab_bytes:bytes:: x1"],
    ["shop.alloc_outside_tlab_bytes", 100, "shop memory:alloc_outside_tlab_bytes:bytes:: x1"],
    ["shop.live", 100, "shop memory:live:count:: x1"],
    ["shop.exceptions", 100, "shop exceptions:samples:count:: x1"],
  ] as const)("%s at %d Hz is %s", ([appName, sampleRateHz, expected]) => {
    expect(show(appName, sampleRateHz)).toBe(expected);
  });

  it("refuses a last part that names no type, with Pyroscope's text", () => {
    expect(() => resolveTextProfileType("my.app", 100)).toThrow("unknown profile type: app");
    expect(() => resolveTextProfileType("app.", 100)).toThrow("unknown profile type: ");
    expect(() => resolveTextProfileType("app.constructor", 100)).toThrow("unknown profile type: constructor");
  });

  it("takes up to a sample each nanosecond", () => {
    expect(show("shop", 1e9)).toContain("x1");
    expect(() => resolveTextProfileType("shop", 1e9 + 1)).toThrow("sampleRate 1000000001: expected at most");
  });
});
