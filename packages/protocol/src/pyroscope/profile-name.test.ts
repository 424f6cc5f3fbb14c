import { describe, expect, it } from "vitest";
import { profileName } from "./profile-name.ts";
import { parseSampleTypeConfig } from "./sample-type-config.ts";

describe("profileName", () => {
  it.for([
    [["samples", "cpu"], "process_cpu"],
    [["samples", "wall", "cpu"], "wall"],
    [["sample", "wall"], "wall"],
    [["samples"], "process_cpu"],
    [["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"], "memory"],
    [["objects", "space"], "memory"],
    [["workspace"], "workspace"],
    [["contentions", "delay"], "mutex"],
    [["goroutine"], "goroutines"],
    [["goroutine_leak"], "goroutine_leak"],
    [["exceptions", "sample"], "sample"],
    [["lock_count", "block_count"], "block"],
    [["inuse_space", "cpu"], "memory"],
    [[], ""],
  ] as const)("of %j is %s", ([sampleTypes, name]) => {
    expect(profileName(sampleTypes)).toBe(name);
  });

  it("goes by the display names that the client sends", () => {
    const config = parseSampleTypeConfig(
      '{"contentions":{"display-name":"block_count"},"delay":{"display-name":"block_duration"}}',
    );

    expect(profileName(["contentions", "delay"], config)).toBe("block");
  });

  it("does not fall back to built-in display names when the client sends any", () => {
    const config = parseSampleTypeConfig('{"other":{"display-name":"x"},"delay":{"units":"nanoseconds"}}');

    expect(profileName(["samples"], config)).toBe("samples");
    expect(profileName(["delay"], config)).toBe("delay");
  });
});
