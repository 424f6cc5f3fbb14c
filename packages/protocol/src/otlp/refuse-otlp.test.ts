import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from "../formats/format-limits.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";
import { decodeOtlp, type OtlpProfile } from "./decode-otlp.ts";
import {
  attribute,
  dictionary,
  encodeRequest,
  type OtlpRequestInit,
  requestOf,
  withTables,
} from "./otlp-request.fixture.ts";
import { OLD_LAYOUT_TEXT } from "./otlp-sample.ts";

const tight = (limits: Partial<FormatLimits>): FormatLimits => ({ ...DEFAULT_FORMAT_LIMITS, ...limits });

function decodeAll(
  request: OtlpRequestInit,
  limits?: FormatLimits,
): readonly (OtlpProfile | ProtocolError)[] {
  return [...decodeOtlp(encodeRequest(request), limits)];
}

const errorsOf = (request: OtlpRequestInit, limits?: FormatLimits) =>
  decodeAll(request, limits).map((error) =>
    error instanceof ProtocolError ? `${error.code}: ${error.message}` : "none",
  );

describe("decodeOtlp of what breaks a rule", () => {
  const sample = { stackIndex: 1, values: [1n] };

  it("refuses a request without a dictionary, or without profiles", () => {
    const { resourceProfiles = [] } = requestOf({ samples: [sample] });

    expect(() => decodeAll({ resourceProfiles })).toThrow("missing profile metadata dictionary");
    expect(() => decodeAll({ dictionary })).toThrow("missing resource profiles");
  });

  it.for([
    [
      "a stack",
      { samples: [{ stackIndex: 3, values: [1n] }] },
      "invalid stack index: 3: the table has 3 rows",
    ],
    [
      "a negative stack",
      { samples: [{ stackIndex: -1, values: [1n] }] },
      "invalid stack index: a negative number",
    ],
    ["an attribute", { samples: [{ ...sample, attributeIndices: [5] }] }, "invalid attribute index: 5"],
    ["a link", { samples: [{ ...sample, linkIndex: 2 }] }, "invalid link index: 2"],
    ["a string", { sampleType: { typeStrindex: 99 }, samples: [sample] }, "invalid string index: 99"],
  ] as const)("refuses the index of %s that is out of range", ([, profile, message]) => {
    expect(errorsOf(requestOf(profile as never))).toEqual([
      expect.stringContaining(`OTLP_MALFORMED: ${message}`),
    ]);
  });

  it.for([
    ["mapping", { mappingTable: [] }],
    ["location", { locationTable: [] }],
    ["function", { functionTable: [] }],
  ] as const)("refuses a table of %ss that lacks the row", ([name, table]) => {
    const request = withTables(requestOf({ samples: [sample] }), table as never);

    expect(errorsOf(request)).toEqual([`OTLP_MALFORMED: invalid ${name} index: 1: the table has 0 rows`]);
  });

  it.for([
    ["neither values nor timestamps", { samples: [{ stackIndex: 1 }] }, "sample value is required"],
    [
      "several values",
      { samples: [{ stackIndex: 1, values: [1n, 2n] }] },
      "sample values length mismatch 2 1",
    ],
    [
      "a time beyond int64",
      { timeUnixNano: 2n ** 63n, samples: [sample] },
      "time_unix_nano is 9223372036854775808",
    ],
    ["a duration beyond int64", { durationNano: 2n ** 63n, samples: [sample] }, "duration_nano is"],
  ] as const)("refuses %s", ([, profile, message]) => {
    expect(errorsOf(requestOf(profile as never))).toEqual([
      expect.stringContaining(`OTLP_MALFORMED: ${message}`),
    ]);
  });

  it("refuses a profile without a sample type", () => {
    const request = requestOf({ samples: [sample] });
    const profile = request.resourceProfiles?.[0]?.scopeProfiles?.[0]?.profiles?.[0];
    Reflect.deleteProperty(profile ?? {}, "sampleType");

    expect(errorsOf(request)).toEqual(["OTLP_MALFORMED: sample type is missing"]);
  });

  it("goes on behind a profile that breaks a rule", () => {
    const [good] = requestOf({ samples: [sample] }).resourceProfiles ?? [];
    const [bad] = requestOf({ samples: [{ stackIndex: 9 }] }).resourceProfiles ?? [];
    if (good === undefined || bad === undefined) throw new Error("fixture");

    expect(errorsOf({ dictionary, resourceProfiles: [good, bad, good] })).toEqual([
      "none",
      expect.stringContaining("invalid stack index: 9"),
      "none",
    ]);
  });

  it("refuses a value that leaves int64", () => {
    expect(errorsOf(requestOf({ samples: [{ stackIndex: 1, values: [2n ** 60n] }] }))).toEqual([
      expect.stringContaining("PROFILE_OVERFLOW"),
    ]);
  });

  it("bounds samples, frames and tables", () => {
    const two = requestOf({ samples: [sample, { stackIndex: 2, values: [1n] }] });
    const rows = Object.values(dictionary).reduce((sum, table) => sum + table.length, 0);

    expect(errorsOf(two, tight({ maxSamples: 2, maxTableRows: rows }))).toEqual(["none"]);
    expect(errorsOf(two, tight({ maxSamples: 1 }))).toEqual([expect.stringContaining("FORMAT_LIMIT")]);
    expect(errorsOf(two, tight({ maxFrames: 5 }))).toEqual([expect.stringContaining("FORMAT_LIMIT")]);
    expect(() => decodeAll(two, tight({ maxTableRows: rows - 1 }))).toThrow("maxTableRows");
    expect(errorsOf(two, tight({ maxMessages: 2 }))).toEqual(["none"]);
    expect(errorsOf(two, tight({ maxMessages: 1 }))).toEqual([
      expect.stringContaining("maxMessages: actual 2"),
    ]);
  });

  it("bounds what many profiles of one request name again and again", () => {
    const request = requestOf({ samples: [sample] });
    const [resource] = request.resourceProfiles ?? [];
    if (resource === undefined) throw new Error("fixture");
    const twice: OtlpRequestInit = { dictionary, resourceProfiles: [resource, resource] };
    const failsAlone = (limit: number): boolean => {
      try {
        return errorsOf(request, tight({ maxRowBytes: limit }))[0] !== "none";
      } catch {
        return true;
      }
    };
    const rowBytes = (limit: number) => errorsOf(twice, tight({ maxRowBytes: limit }));
    // Of one profile: what its stack, location, line, function and mapping take.
    let once = 1;
    while (failsAlone(once)) once++;

    // A frame of a row, its line, and the frame of its sample.
    expect(errorsOf(twice, tight({ maxFrames: 3, maxRequestFrames: 6 }))).toEqual(["none", "none"]);
    expect(() => errorsOf(twice, tight({ maxRequestFrames: 5 }))).toThrow(
      "maxRequestFrames: actual 6, limit 5",
    );
    expect(() => rowBytes(once)).toThrow(`limit ${once}`);
    expect(errorsOf(twice, tight({ maxRequestProfiles: 2 }))).toEqual(["none", "none"]);
    expect(() => errorsOf(twice, tight({ maxRequestProfiles: 1 }))).toThrow(
      "maxRequestProfiles: actual 2, limit 1",
    );
    expect(rowBytes(2 * once)).toEqual(["none", "none"]);
  });

  it("bounds the attributes of a resource", () => {
    const attributes = Array.from({ length: 4 }, (_, i) => attribute(`key${i}`, "x"));
    const request = requestOf({ samples: [sample] }, attributes);

    expect(errorsOf(request, tight({ maxAttributes: 4 }))).toEqual(["none"]);
    expect(() => decodeAll(request, tight({ maxAttributes: 3 }))).toThrow("maxAttributes: actual 4, limit 3");
  });

  it.for([
    ["attributes", { attributeIndices: [0, 0, 0] }],
    ["values", { values: [1n, 1n, 1n], timestampsUnixNano: [1n, 2n, 3n] }],
  ] as const)("bounds the %s of one sample", ([, more]) => {
    const request = requestOf({ samples: [{ ...sample, ...more } as never] });

    expect(errorsOf(request, tight({ maxMessages: 3 }))).toEqual(["none"]);
    expect(errorsOf(request, tight({ maxMessages: 2 }))).toEqual([
      expect.stringContaining("maxMessages: actual 3"),
    ]);
  });

  it("bounds resources", () => {
    const { resourceProfiles = [] } = requestOf({ samples: [] });
    const many = { dictionary, resourceProfiles: Array.from({ length: 3 }, () => resourceProfiles[0] ?? {}) };

    expect(decodeAll(many, tight({ maxMessages: 3 }))).toEqual([]);
    expect(() => decodeAll(many, tight({ maxMessages: 2 }))).toThrow("maxMessages: actual 3");
  });
});

describe("decodeOtlp of the layout before 1.10", () => {
  /** A request whose only sample has these fields, written by hand. */
  function withSample(write: (writer: ProtobufWriter) => void, profileField = 2): Uint8Array {
    const writer = new ProtobufWriter();
    const nest = (field: number, content: () => void): void => {
      const start = writer.begin(field);
      content();
      writer.end(start);
    };
    nest(1, () => nest(2, () => nest(2, () => nest(profileField, () => write(writer)))));
    nest(2, () => nest(5, () => {}));
    return writer.finish();
  }
  const messages = (bytes: Uint8Array) =>
    [...decodeOtlp(bytes)].map((error) => (error instanceof ProtocolError ? error.message : "none"));

  it("is recognized by the wire type of fields 3 and 4 of a sample", () => {
    const request = encodeRequest(requestOf({ samples: [{ stackIndex: 1, values: [1n] }] }));
    // stack_index = 1, values = [1]
    const at = request.findIndex((_, i) => request.subarray(i, i + 5).join() === "8,1,34,1,1");
    const withFields = (...bytes: readonly number[]): Uint8Array => {
      const changed = request.slice();
      changed.set(bytes, at);
      return changed;
    };

    expect(messages(request)).toEqual(["none"]);
    // stack_index = 1, attribute_indices = [1] as field 3
    expect(messages(withFields(0x08, 0x01, 0x1a, 0x01, 0x01))).toEqual([OLD_LAYOUT_TEXT]);
    // stack_index = 1 in two bytes, link_index = 1 as field 4
    expect(messages(withFields(0x08, 0x81, 0x00, 0x20, 0x01))).toEqual([OLD_LAYOUT_TEXT]);
  });

  it("is recognized by a time that is no fixed64", () => {
    expect(messages(withSample((writer) => writer.uintField(1, 1), 3))).toEqual([OLD_LAYOUT_TEXT]);
  });
});

describe("decodeOtlp of broken bytes", () => {
  const bytes = encodeRequest(
    requestOf({ samples: [{ stackIndex: 2, values: [3n], attributeIndices: [1], linkIndex: 1 }] }),
  );

  /** The codes of what is yielded or thrown; whatever else is thrown fails the test. */
  function codesOf(input: Uint8Array): readonly string[] {
    const codes: string[] = [];
    try {
      for (const profile of decodeOtlp(input)) {
        if (!(profile instanceof ProtocolError)) checkProfile(profile.profile);
        codes.push(profile instanceof ProtocolError ? profile.code : "none");
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      codes.push(error.code);
    }
    return codes;
  }

  it("refuses a request cut at every byte", () => {
    expect(codesOf(bytes)).toEqual(["none"]);
    for (let end = 0; end < bytes.length; end++) {
      expect([end, codesOf(bytes.subarray(0, end))]).toEqual([
        end,
        [expect.stringMatching(/^(WIRE|OTLP)_MALFORMED$/)],
      ]);
    }
  });

  it("gives sound profiles or errors of ours for any change of any byte", () => {
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at] = byte;

        expect(codesOf(changed).join(" ")).toMatch(
          /^((none|(WIRE|OTLP)_MALFORMED|FORMAT_LIMIT|PROFILE_OVERFLOW) ?)*$/,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
