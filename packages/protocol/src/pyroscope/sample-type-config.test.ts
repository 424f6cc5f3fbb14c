import { describe, expect, it } from "vitest";
import { parseSampleTypeConfig } from "./sample-type-config.ts";

describe("parseSampleTypeConfig", () => {
  it("reads every field", () => {
    const text = JSON.stringify({
      alloc_space: {
        units: "bytes",
        "display-name": "alloc_space_bytes",
        aggregation: "average",
        cumulative: true,
        sampled: false,
      },
    });

    expect(parseSampleTypeConfig(text)).toEqual(
      new Map([
        [
          "alloc_space",
          {
            units: "bytes",
            displayName: "alloc_space_bytes",
            aggregation: "average",
            cumulative: true,
            sampled: false,
          },
        ],
      ]),
    );
  });

  it("takes missing fields, null and unknown fields for nothing said", () => {
    const nothing = {
      units: undefined,
      displayName: undefined,
      aggregation: undefined,
      cumulative: undefined,
      sampled: undefined,
    };

    const config = parseSampleTypeConfig('{"a":{},"b":null,"c":{"units":null,"displayName":"x"}}');

    expect(config).toEqual(
      new Map([
        ["a", nothing],
        ["b", nothing],
        ["c", nothing],
      ]),
    );
    expect(parseSampleTypeConfig("null")).toBeUndefined();
    expect(parseSampleTypeConfig("{}")).toEqual(new Map());
  });

  it("keeps a sample type named like a member of an object", () => {
    expect(parseSampleTypeConfig('{"__proto__":{"units":"x"}}')?.get("__proto__")?.units).toBe("x");
  });

  it.for([
    ["[]", "sample_type_config=[]: expected an object"],
    ['"x"', 'sample_type_config="x": expected an object'],
    ['{"a":1}', "sample_type_config a=1: expected an object"],
    ['{"a":[]}', "sample_type_config a=[]: expected an object"],
    ['{"a":{"units":1}}', "sample_type_config a.units=1: expected a string"],
    ['{"a":{"display-name":{}}}', "sample_type_config a.display-name={}: expected a string"],
    ['{"a":{"cumulative":"true"}}', 'sample_type_config a.cumulative="true": expected true or false'],
    [`"${"x".repeat(200)}"`, `sample_type_config="${"x".repeat(99)}: expected an object`],
  ] as const)("refuses %s", ([text, message]) => {
    expect(() => parseSampleTypeConfig(text)).toThrow(
      expect.objectContaining({ code: "SAMPLE_TYPE_CONFIG_INVALID", message }),
    );
  });

  it.for(["", "{", "\xff"])("refuses %j, which is no JSON, with its cause", (text) => {
    expect(() => parseSampleTypeConfig(text)).toThrow(
      expect.objectContaining({
        code: "SAMPLE_TYPE_CONFIG_INVALID",
        message: expect.stringMatching(/^sample_type_config: /),
        cause: expect.any(SyntaxError),
      }),
    );
  });
});
