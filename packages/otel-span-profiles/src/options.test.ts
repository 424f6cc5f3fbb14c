import { describe, expect, it } from "vitest";
import type { PyroscopeSpanProcessorOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";

const defaults = { spanScope: "root", spanName: true, traceId: true, unsampledSpans: false };

function resolve(options: unknown) {
  const lines: string[] = [];
  return {
    options: resolveOptions(options as PyroscopeSpanProcessorOptions, (line) => lines.push(line)),
    lines,
  };
}

describe("resolveOptions", () => {
  it("has a default for every option", () => {
    expect(resolve(undefined)).toEqual({ options: defaults, lines: [] });
    expect(resolve({ spanScope: undefined })).toEqual({ options: defaults, lines: [] });
  });

  it("takes what is given", () => {
    const given = { spanScope: "all", spanName: false, traceId: false, unsampledSpans: true };

    expect(resolve(given)).toEqual({ options: given, lines: [] });
  });

  it("names a value that it does not accept, and goes on with the default", () => {
    expect(resolve({ spanScope: "none", traceId: "no", spanName: 1 })).toEqual({
      options: defaults,
      lines: [
        'PyroscopeSpanProcessor: spanScope="none" ignored: expected "root" or "all"',
        "PyroscopeSpanProcessor: spanName=number ignored: expected true or false",
        'PyroscopeSpanProcessor: traceId="no" ignored: expected true or false',
      ],
    });
  });

  it("survives options that are none", () => {
    expect(resolve(null).options).toEqual(defaults);
    expect(resolve(5).options).toEqual(defaults);
  });
});
