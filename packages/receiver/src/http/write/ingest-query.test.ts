import { formatLabels } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { parseIngestQuery } from "./ingest-query.ts";

const NOW_MS = 1_772_366_400_000;
const parse = (query: Record<string, string | string[]>) => parseIngestQuery(query, "", NOW_MS);
const labelsOf = (query: Record<string, string | string[]>) => formatLabels(parse(query).labels);

describe("parseIngestQuery", () => {
  it("makes labels of the application name", () => {
    expect(labelsOf({ name: "shop.web{env=prod,otel.scope.name=x}", spyName: "nodespy" })).toBe(
      '{env="prod", otel.scope.name="x", pyroscope_spy="nodespy", service_name="shop.web"}',
    );
  });

  it("lets a label name the service, and names a spy that the client did not", () => {
    expect(labelsOf({ name: "shop{service_name=other}" })).toBe(
      '{pyroscope_spy="unknown", service_name="other"}',
    );
  });

  it("drops labels of the server, and takes __name__ for the application name as Pyroscope does", () => {
    expect(labelsOf({ name: "shop{__name__=other,__delta__=true,__proto__=x,constructor=y}" })).toBe(
      '{constructor="y", pyroscope_spy="unknown", service_name="other"}',
    );
  });

  it.for([
    [{}, "name: service name is required"],
    [{ name: "a b" }, "name: invalid service name: a b: character is not allowed: ' '"],
    [{ name: "a{b-c=1}" }, "name: invalid label name: b-c: character is not allowed: '-'"],
  ] as const)("refuses %j", ([query, message]) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it("reads `from` to the nanosecond, and takes now without one", () => {
    expect(parse({ name: "a", from: "1772366399123456789" }).fromUnixNanos).toBe(1_772_366_399_123_456_789n);
    expect(parse({ name: "a" }).fromUnixNanos).toBe(BigInt(NOW_MS) * 1_000_000n);
  });

  it("takes the first of a parameter that stands twice", () => {
    expect(labelsOf({ name: ["a", "b"] })).toBe('{pyroscope_spy="unknown", service_name="a"}');
  });

  it("keeps the application apart from its labels, for formats whose type is in its name", () => {
    const { appName, appLabels, spyName } = parse({
      name: "shop.cpu{env=prod,__delta__=x}",
      spyName: "rbspy",
    });

    expect([appName, formatLabels(appLabels), spyName]).toEqual([
      "shop.cpu",
      '{env="prod", pyroscope_spy="rbspy"}',
      "rbspy",
    ]);
  });

  it.for([
    ["50", 50],
    ["0", 0],
    ["", 100],
    ["-1", 100],
    ["1e3", 100],
    ["99999999999", 100],
  ] as const)("reads sampleRate %j as %d", ([sampleRate, expected]) => {
    expect(parse({ name: "a", sampleRate }).sampleRateHz).toBe(expected);
  });
});
