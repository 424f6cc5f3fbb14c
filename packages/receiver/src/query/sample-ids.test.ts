import { describe, expect, it } from "vitest";
import { parseSampleIds } from "./sample-ids.ts";

const SPAN = "00f067aa0ba902b7";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PROFILE = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

describe("parseSampleIds", () => {
  it("narrows nothing by absent and empty lists", () => {
    expect(parseSampleIds({})).toEqual({});
    expect(parseSampleIds({ profileIds: [], spanIds: [], traceIds: [] })).toEqual({});
  });

  it("reads a span id big-endian, the highest bit included", () => {
    const { spanIds } = parseSampleIds({ spanIds: [SPAN, "FFFFFFFFFFFFFFFF"] });

    expect(spanIds).toEqual(new BigUint64Array([0x00f067aa0ba902b7n, 0xffffffffffffffffn]));
  });

  it("takes trace ids and profile ids as they are", () => {
    expect(parseSampleIds({ traceIds: [TRACE], profileIds: [PROFILE] })).toEqual({
      traceIds: [TRACE],
      profileIds: [PROFILE],
    });
  });

  it.for([
    [{ spanIds: ["abc"] }, 'invalid span id length: "abc"'],
    [{ spanIds: ["zzf067aa0ba902b7"] }, 'invalid span id: "zzf067aa0ba902b7"'],
    [{ traceIds: [SPAN] }, `invalid trace id length: "${SPAN}"`],
    [{ profileIds: ["7c9e6679'; DROP"] }, 'invalid profile id: "7c9e6679\'; DROP"'],
    [{ spanIds: [SPAN], traceIds: [TRACE] }, "span_selector and trace_id_selector cannot be combined"],
  ] as const)("refuses %j", ([query, message]) => {
    expect(() => parseSampleIds(query)).toThrow(message);
  });
});
