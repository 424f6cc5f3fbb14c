import { gzipSync } from "node:zlib";
import { labelSetFromRecord } from "@pyroscope-ts/protocol";
import { create, googleV1, type MessageInitShape, toBinary } from "@pyroscope-ts/protocol/messages";
import { afterAll, describe, expect, it } from "vitest";
import type { AdmittedProfile } from "../store/admission.ts";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import type { PushItemResult } from "./push-service.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const stored: AdmittedProfile[] = [];
const logged: string[] = [];
// One ingester for every case: what one profile does to it, the next would meet.
const ingester = new Ingester({
  store: {
    append: async ({ profiles }) => {
      stored.push(...profiles);
    },
    hasSeries: () => false,
    seriesCount: () => 0,
  },
  log: (message) => logged.push(message),
});

async function push(payload: Uint8Array, limits: Partial<IngestLimits> = {}): Promise<PushItemResult> {
  stored.length = 0;
  const [result] = await ingester.push({
    tenant: "anonymous",
    receivedUnixMillis: NOW_MS,
    items: [{ labels: labelSetFromRecord({ __name__: "cpu", service_name: "shop" }), payload, id: "" }],
    limits: { ...DEFAULT_INGEST_LIMITS, ...limits },
  });
  return result!;
}

/** `stored: <total>` or the reason. */
async function outcome(payload: Uint8Array, limits?: Partial<IngestLimits>): Promise<string> {
  const result = await push(payload, limits);
  if (!result.ok) return `${result.code} ${result.reason}: ${result.message}`;
  const { profile } = stored[0] ?? {};
  return `stored: ${profile?.samples.values.reduce((sum, value) => sum + value, 0n)}`;
}

type ProfileInit = Exclude<MessageInitShape<typeof googleV1.ProfileSchema>, googleV1.Profile>;

const STRINGS = ["", "cpu", "nanoseconds", "main", "key", "text", "extra"];
const VALID: ProfileInit = {
  sampleType: [{ type: 1n, unit: 2n }],
  sample: [{ locationId: [1n], value: [5n] }],
  location: [{ id: 1n, line: [{ functionId: 1n, line: 7n }] }],
  function: [{ id: 1n, name: 3n }],
  stringTable: STRINGS,
};

/** A good profile with some of its fields replaced. */
const pprof = (change: ProfileInit = {}) =>
  toBinary(googleV1.ProfileSchema, create(googleV1.ProfileSchema, { ...VALID, ...change }));
const withExtraString = (text: string) => pprof({ stringTable: [...STRINGS.slice(0, -1), text] });
const withLabels = (...label: { key?: bigint; str?: bigint; num?: bigint }[]) =>
  pprof({ sample: [{ locationId: [1n], value: [5n], label }] });
/** A good profile and more bytes of fields. */
const followedBy = (...bytes: readonly number[]) => Buffer.concat([pprof(), Buffer.from(bytes)]);
const gzip = gzipSync(pprof());

describe("payloads that are no profile", () => {
  it.for([
    ["no bytes", Buffer.alloc(0), "empty profile"],
    ["text", Buffer.from("hello world"), /./],
    ["truncated gzip", gzip.subarray(0, -5), "payload is not a whole gzip stream: unexpected end of file"],
    [
      "gzip with a bad checksum",
      Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(8)]),
      /incorrect data check/,
    ],
    ["gzip of gzip", gzipSync(gzip), "payload is gzip inside gzip: compress a profile once"],
    ["a field of another wire type", followedBy(0x0d, 1, 2, 3, 4), /./],
    ["a group", followedBy(0x7b, 0x7c), /./],
    ["the end of a group", followedBy(0x7c), /./],
    ["field number 0", followedBy(0x02, 0x00), /./],
    ["a varint of 11 bytes", followedBy(0x48, ...Array<number>(10).fill(0x80), 0x01), /./],
    ["a length past the end", followedBy(0x12, 0x05, 0x00), /./],
    ["a length of 2^40", followedBy(0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20), /./],
    ["no string table", pprof({ stringTable: [] }), "string 0 should be empty string"],
    [
      "a first string that is not empty",
      pprof({ stringTable: ["x", ...STRINGS.slice(1)] }),
      "string 0 should be empty string",
    ],
    [
      "a string index past the end",
      pprof({ function: [{ id: 1n, name: 7n }] }),
      "function name string index out of range",
    ],
    [
      "a string index of 2^63 - 1",
      pprof({ function: [{ id: 1n, filename: 2n ** 63n - 1n }] }),
      "function file name string index out of range",
    ],
    [
      "a negative string index",
      pprof({ function: [{ id: 1n, systemName: -1n }] }),
      /index string index out of range|index.* out of range/,
    ],
    ["a string that is not UTF-8", followedBy(0x32, 0x02, 0xc3, 0x28), "invalid utf8 string hex: c328"],
    ["location id 0 in the table", pprof({ location: [{ id: 0n }] }), "location id is 0"],
    ["function id 0 in the table", pprof({ function: [{ id: 0n }] }), "function id is 0"],
    [
      "fewer values than types",
      pprof({ sample: [{ locationId: [1n], value: [] }] }),
      "sample value length mismatch",
    ],
    [
      "more values than types",
      pprof({ sample: [{ locationId: [1n], value: [1n, 2n] }] }),
      "sample value length mismatch",
    ],
    ["no sample types", pprof({ sampleType: [], sample: [] }), "empty profile"],
  ] as const)("refuses %s", async ([, payload, message]) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);

    expect(await push(payload)).toMatchObject({
      ok: false,
      code: "invalid_argument",
      reason: "malformed_profile",
      message: expected,
    });
  });
});

describe("profiles that decode and cannot be kept", () => {
  const twoTypes = {
    sampleType: [
      { type: 1n, unit: 2n },
      { type: 1n, unit: 2n },
    ],
    sample: [{ locationId: [1n], value: [1n, 1n] }],
  };
  const typed = (name: string) =>
    pprof({ sampleType: [{ type: 6n, unit: 2n }], stringTable: [...STRINGS.slice(0, -1), name] });
  const valued = (...values: bigint[]) =>
    pprof({ sample: values.map((value) => ({ locationId: [1n], value: [value] })) });

  it.for([
    ["a negative value", valued(5n, -1n), "malformed_profile"],
    ["a sum beyond int64", valued(2n ** 63n - 1n, 1n), "malformed_profile"],
    ["a sample type that stands twice", pprof(twoTypes), "malformed_profile"],
    ["a sample type with a dash", typed("inuse-space"), "malformed_profile"],
    ["a sample type with a colon", typed("a:b"), "malformed_profile"],
    ["a time in the year 2286", pprof({ timeNanos: 2n ** 63n - 1n }), "not_in_ingestion_window"],
    ["a label without a key", withLabels({ key: 0n, str: 5n }), "invalid_labels"],
    [
      "100,000 labels on one sample",
      withLabels(...Array<object>(100_000).fill({ key: 4n, str: 5n })),
      "sample_labels_limit",
    ],
    [
      "100,000 inlined lines",
      pprof({ location: [{ id: 1n, line: Array<object>(100_000).fill({ functionId: 1n }) }] }),
      "profile_size_limit",
    ],
    ["100,000 comments", pprof({ comment: Array<bigint>(100_000).fill(5n) }), "profile_size_limit"],
  ] as const)("refuses %s", async ([, payload, reason]) => {
    expect(await push(payload)).toMatchObject({ ok: false, code: "invalid_argument", reason });
  });

  it("refuses 2 million empty samples in 4 kB of gzip", async () => {
    const bomb = gzipSync(Buffer.concat([pprof(), Buffer.alloc(4_000_000).fill(Buffer.from([0x12, 0x00]))]));

    expect(bomb.length).toBeLessThan(5000);
    expect(await push(bomb)).toMatchObject({ ok: false, reason: "samples_limit" });
    expect(await push(bomb, { maxSamples: 0 })).toMatchObject({ ok: false, reason: "malformed_profile" });
  });

  it("refuses a gzip bomb and a payload that is too large", async () => {
    expect(await outcome(gzipSync(Buffer.alloc(100_000_000)))).toBe(
      "invalid_argument profile_size_limit: uncompressed profile payload size exceeds limit of 4.2 MB",
    );
    expect(await outcome(Buffer.alloc(4 * 1024 * 1024 + 1))).toBe(
      "invalid_argument profile_size_limit: uncompressed profile payload size exceeds limit of 4.2 MB",
    );
  });

  it("refuses 2 MiB of random bytes", async () => {
    // A fixed sequence: what is refused today is refused tomorrow.
    let state = 1;
    const random = new Uint8Array(2 * 1024 * 1024).map(() => {
      state = Math.imul(state, 1_664_525) + 1_013_904_223;
      return state >>> 24;
    });

    expect(await push(random)).toMatchObject({
      ok: false,
      code: "invalid_argument",
      reason: "malformed_profile",
    });
  });
});

describe("profiles that are odd and are kept, with their total", () => {
  it.for([
    ["concatenated gzip members", Buffer.concat([gzipSync(pprof()), gzipSync(Buffer.alloc(0))]), 5n],
    ["time 0", pprof({ timeNanos: 0n }), 5n],
    ["a negative time", pprof({ timeNanos: -5n }), 5n],
    ["an unknown field", followedBy(0xf8, 0x07, 0x01), 5n],
    ["the largest varint", followedBy(0xf8, 0x07, ...Array<number>(9).fill(0xff), 0x01), 5n],
    ["NUL, bidi, zero-width and ANSI in a name", withExtraString("\0\u202e\u200b\u001b[31m"), 5n],
    ["a name of 1 MB", withExtraString("x".repeat(1_000_000)), 5n],
    ["a sample without a stack", pprof({ sample: [{ locationId: [], value: [5n] }] }), 5n],
    ["a location that nothing has", pprof({ sample: [{ locationId: [9n, 1n], value: [5n] }] }), 5n],
    ["location id 0 in a sample", pprof({ sample: [{ locationId: [0n], value: [5n] }] }), 5n],
    ["a location that stands twice", pprof({ location: [{ id: 1n }, { id: 1n }] }), 5n],
    ["a function that nothing has", pprof({ function: [] }), 5n],
    ["a mapping without a build id", pprof({ mapping: [{ id: 1n }] }), 5n],
    [
      "a stack of a million locations",
      pprof({ sample: [{ locationId: Array<bigint>(1_000_000).fill(1n), value: [5n] }] }),
      5n,
    ],
    [
      "a value of 2^63 - 1",
      pprof({ sample: [{ locationId: [1n], value: [2n ** 63n - 1n] }] }),
      2n ** 63n - 1n,
    ],
    ["period 0 and a negative duration", pprof({ period: 0n, durationNanos: -1n }), 5n],
    ["a negative period", pprof({ period: -1n }), 5n],
    ["a label that stands twice", withLabels({ key: 4n, str: 5n }, { key: 4n, str: 6n }), 5n],
    ["a label with a text and a number", withLabels({ key: 4n, str: 5n, num: 7n }), 5n],
    ["a million empty strings", pprof({ stringTable: [...STRINGS, ...Array<string>(900_000).fill("")] }), 5n],
  ] as const)("%s", async ([, payload, total]) => {
    expect(await outcome(payload)).toBe(`stored: ${total}`);
  });

  it.for(["__proto__", "constructor", "__name__", "service_name", "toString"])(
    "a sample label named %j",
    async (key) => {
      const payload = pprof({
        sample: [{ locationId: [1n], value: [5n], label: [{ key: 6n, str: 5n }] }],
        stringTable: [...STRINGS.slice(0, -1), key],
      });

      expect(await outcome(payload)).toBe("stored: 5");
      const names = stored[0]!.labels.map(({ name }) => name);
      expect(names.includes(key)).toBe(true);
      expect(names).toHaveLength(key === "__name__" || key === "service_name" ? 2 : 3);
    },
  );
});

describe("a pprof that is cut anywhere", () => {
  it("is refused with a reason, or is a shorter profile", async () => {
    const whole = pprof({ mapping: [{ id: 1n, buildId: 3n }], comment: [5n], timeNanos: 0n });

    for (let length = 0; length < whole.length; length++) {
      const result = await push(whole.subarray(0, length));
      expect(result.ok || result.code).toSatisfy((value) => value === true || value === "invalid_argument");
    }
  });
});

afterAll(async () => {
  expect(logged).toEqual([]);
  expect(await outcome(pprof())).toBe("stored: 5");
});
