import { gzipSync } from "node:zlib";
import {
  decodePprof,
  encodePprof,
  formatLabels,
  labelSetFromRecord,
  type Profile,
  totalValues,
} from "@pyroscope-ts/protocol";
import {
  create,
  ExportProfilesServiceRequestSchema,
  toBinary,
  toJson,
} from "@pyroscope-ts/protocol/messages";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import type { Admission, AdmittedProfile } from "../store/admission.ts";
import { expandRecord } from "./expand-record.ts";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import type { PayloadFormat } from "./payload-format.ts";
import type { PushItem } from "./push-service.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const NOW_NANOS = BigInt(NOW_MS) * 1_000_000n;
const FROM = NOW_NANOS - 10_000_000_000n;
const labels = labelSetFromRecord({ env: "prod", pyroscope_spy: "unknown" });
const times = { fromUnixNanos: FROM, untilUnixNanos: NOW_NANOS };
const folded: PayloadFormat = {
  kind: "stacks",
  format: "groups",
  appName: "shop.cpu",
  sampleRateHz: 100,
  ...times,
};
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

async function push(item: Partial<PushItem>, limits: Partial<IngestLimits> = {}) {
  const admissions: Admission[] = [];
  const ingester = new Ingester({
    store: {
      append: async (admission) => void admissions.push(admission),
      hasSeries: () => false,
      seriesCount: () => 0,
    },
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  const results = await ingester.push({
    tenant: "anonymous",
    receivedUnixMillis: NOW_MS,
    items: [{ labels, payload: new Uint8Array(0), id: "", ...item }],
    limits: { ...DEFAULT_INGEST_LIMITS, ...limits },
  });
  const profiles = admissions.flatMap((admission) => admission.profiles);
  return { results, profiles, admissions };
}

const totalOf = (profile: Profile | undefined) =>
  profile === undefined ? undefined : totalValues(profile)[0];
const summarize = (profiles: readonly AdmittedProfile[]) =>
  profiles.map(({ labels, profile }) => `${formatLabels(labels)} ${totalOf(profile)}`);
const messagesOf = ({ results }: Awaited<ReturnType<typeof push>>) =>
  results.map((result) => (result.ok ? "ok" : `${result.reason} ${result.isUndecodable}: ${result.message}`));

describe("readPprofs of text", () => {
  it("stores folded text with its types, its time and its exact total", async () => {
    const { profiles, results } = await push({ payload: bytes("main;handle 3\nmain 4"), format: folded });

    expect(results).toMatchObject([{ ok: true, profiles: 1, service: "shop" }]);
    expect(summarize(profiles)).toEqual([
      '{__name__="process_cpu", env="prod", pyroscope_spy="unknown", service_name="shop"} 70000000',
    ]);
    expect(profiles[0]).toMatchObject({
      timeUnixNanos: FROM,
      profile: {
        sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
        periodType: { type: "cpu", unit: "nanoseconds" },
        period: 10_000_000n,
        durationNanos: 10_000_000_000n,
      },
    });
  });

  it("takes gzip", async () => {
    const { profiles } = await push({ payload: gzipSync("main 5"), format: { ...folded, sampleRateHz: 0 } });

    expect(profiles.map(({ profile }) => totalOf(profile))).toEqual([5n]);
  });

  it("names the application where a label names the service, unless it is named already", async () => {
    const sent = (record: Record<string, string>) =>
      push({ payload: bytes("main 1"), format: folded, labels: labelSetFromRecord(record) });

    expect(summarize((await sent({ service_name: "x" })).profiles)).toEqual([
      '{__name__="process_cpu", app_name="shop", service_name="x"} 10000000',
    ]);
    expect(summarize((await sent({ service_name: "x", app_name: "y" })).profiles)).toEqual([
      '{__name__="process_cpu", app_name="y", service_name="x"} 10000000',
    ]);
  });

  it("counts every request: equal ones are two profiles, and a replay finds the same two", async () => {
    const first = await push({ payload: bytes("main 1"), format: folded });
    const second = await push({ payload: bytes("main 1"), format: folded });
    const identities = [first, second].map(({ profiles }) => profiles[0]?.identity);

    expect(identities[0]).not.toEqual(identities[1]);
    for (const { admissions, profiles } of [first, second]) {
      const replayed = admissions.flatMap(({ record }) => expandRecord("anonymous", record));
      expect(replayed.map(({ identity }) => identity)).toEqual(profiles.map(({ identity }) => identity));
      expect(summarize(replayed)).toEqual(summarize(profiles));
    }
  });

  it("keeps lines above 64 KiB, cut to the depth of the tenant", async () => {
    const line = Array.from({ length: 20_000 }, (_, i) => `f${i}`).join(";");
    const { profiles } = await push({ payload: bytes(`${line} 7`), format: folded });

    expect(totalOf(profiles[0]?.profile)).toBe(70_000_000n);
    expect(profiles[0]?.profile.samples.location.length).toBe(DEFAULT_INGEST_LIMITS.maxDepth);
  });

  it("stores nothing of a text without samples", async () => {
    expect(await push({ payload: bytes("\n"), format: folded })).toMatchObject({
      results: [{ ok: true, profiles: 0 }],
      profiles: [],
    });
  });

  it.for([
    ["a bad count", "main x", {}, 'malformed_profile true: line 1: count "x" is no whole number of 64 bits'],
    [
      "a negative count",
      "main -1",
      {},
      "malformed_profile false: sample 0 has value -10000000 nanoseconds: negative",
    ],
    [
      "too many samples",
      "a 1\nb 1",
      { maxSamples: 1 },
      'samples_limit false: the profile with labels \'{env="prod", pyroscope_spy="unknown"}\' exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)',
    ],
    [
      "a large text",
      "main 1",
      { maxProfileSizeBytes: 5 },
      "profile_size_limit true: uncompressed profile payload size exceeds limit of 5 B",
    ],
  ] as const)("refuses %s", async ([, text, limits, message]) => {
    expect(messagesOf(await push({ payload: bytes(text), format: folded }, limits))).toEqual([message]);
  });

  it("refuses a profile outside of the ingestion window", async () => {
    const old = { ...folded, fromUnixNanos: NOW_NANOS - 4_000_000_000_000n };

    expect(messagesOf(await push({ payload: bytes("main 1"), format: old }))).toEqual([
      expect.stringContaining("not_in_ingestion_window false"),
    ]);
  });
});

describe("readPprofs of speedscope", () => {
  const file = (...profiles: readonly object[]) =>
    bytes(
      JSON.stringify({
        $schema: "https://www.speedscope.app/file-format-schema.json",
        shared: { frames: [{ name: "main" }] },
        profiles: profiles.map((profile) => ({
          type: "sampled",
          name: "main thread",
          unit: "milliseconds",
          startValue: 0,
          endValue: 9,
          samples: [[0]],
          weights: [2],
          ...profile,
        })),
      }),
    );
  const format: PayloadFormat = { kind: "speedscope", appName: "my.shop", sampleRateHz: 100, ...times };

  it("stores each of its profiles with its name and type", async () => {
    const { profiles } = await push({ payload: file({}, { name: "", unit: "bytes", weights: [7] }), format });

    expect(summarize(profiles)).toEqual([
      '{__name__="wall", env="prod", profile_name="main thread", pyroscope_spy="unknown", service_name="my.shop"} 2000000',
      '{__name__="memory", env="prod", pyroscope_spy="unknown", service_name="my.shop"} 7',
    ]);
  });

  it("refuses a single profile of an application without a type", async () => {
    expect(messagesOf(await push({ payload: file({}), format }))).toEqual([
      "malformed_profile true: unknown profile type: shop",
    ]);
  });
});

describe("readPprofs of spies", () => {
  const profile = profileFromText("main", { values: [3], timeUnixNanos: NOW_NANOS });
  const series = labelSetFromRecord({ __name__: "process_cpu", service_name: "shop" });

  it("names functions by their files, and keeps the identity of what is pushed again", async () => {
    const item = {
      labels: series,
      payload: encodePprof(profile),
      format: { kind: "spy", fix: "files", spyName: "rbspy" },
    } as const;

    const [first, second] = [await push(item), await push(item)];

    expect(first.profiles[0]?.profile.strings).toContain(" main");
    expect(totalOf(first.profiles[0]?.profile)).toBe(3n);
    expect(first.profiles[0]?.identity).toEqual(second.profiles[0]?.identity);
  });

  it("sets types of .NET right", async () => {
    const dotnet = encodePprof({ ...profile, sampleTypes: [{ type: "alloc-size", unit: "bytes" }] });
    const format = { kind: "spy", fix: "dotnet", spyName: "dotnetspy" } as const;

    expect(
      (await push({ labels: series, payload: dotnet, format })).profiles[0]?.profile.sampleTypes,
    ).toEqual([{ type: "alloc_size", unit: "bytes" }]);
    expect(messagesOf(await push({ labels: series, payload: dotnet }))).toEqual([
      "malformed_profile false: sample type contains -",
    ]);
    expect(messagesOf(await push({ labels: series, payload: dotnet.subarray(0, -1), format }))).toEqual([
      expect.stringContaining("malformed_profile true"),
    ]);
  });
});

describe("readPprofs of OTLP", () => {
  const scope = (values: readonly bigint[]) => ({
    profiles: [
      {
        sampleType: { typeStrindex: 1, unitStrindex: 2 },
        periodType: { typeStrindex: 3, unitStrindex: 4 },
        period: 10n,
        timeUnixNano: NOW_NANOS,
        profileId: new Uint8Array(16).fill(9),
        samples: values.map((value) => ({ stackIndex: 0, linkIndex: 1, values: [value] })),
      },
    ],
  });
  const request = (...scopes: readonly ReturnType<typeof scope>[]) =>
    create(ExportProfilesServiceRequestSchema, {
      dictionary: {
        stringTable: ["main", "samples", "count", "cpu", "nanoseconds"],
        functionTable: [{}],
        locationTable: [{ lines: [{}] }],
        mappingTable: [{}],
        stackTable: [{ locationIndices: [0] }],
        linkTable: [{}, { spanId: new Uint8Array(8).fill(0xcd), traceId: new Uint8Array(16).fill(0xab) }],
      },
      resourceProfiles: [
        {
          resource: {
            attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "shop" } } }],
          },
          scopeProfiles: [...scopes],
        },
      ],
    });
  const proto = (...scopes: readonly ReturnType<typeof scope>[]) =>
    toBinary(ExportProfilesServiceRequestSchema, request(...scopes));
  const format = { kind: "otlp", encoding: "proto" } as const;
  const json = { kind: "otlp", encoding: "json" } as const;
  const pushProto = (...scopes: readonly ReturnType<typeof scope>[]) =>
    push({ labels: [], payload: proto(...scopes), format });

  it("stores its profiles with their labels, ids and exact totals", async () => {
    const { profiles, results } = await pushProto(scope([3n]), scope([4n]));

    expect(results).toHaveLength(2);
    expect(summarize(profiles)).toEqual([
      '{__name__="process_cpu", __otel__="true", service.name="shop", service_name="shop"} 30',
      '{__name__="process_cpu", __otel__="true", service.name="shop", service_name="shop"} 40',
    ]);
    expect(profiles[0]).toMatchObject({
      timeUnixNanos: NOW_NANOS,
      spanIds: new BigUint64Array([0xcdcdcdcdcdcdcdcdn]),
    });
  });

  it("keeps equal profiles of one request apart, and finds them again when it is sent again", async () => {
    const identities = async () =>
      (await pushProto(scope([3n]), scope([3n]))).profiles.map(({ identity }) => identity);
    const [first, second] = [await identities(), await identities()];

    expect(first[0]).not.toEqual(first[1]);
    expect(first).toEqual(second);
  });

  it("stores the others when one breaks a rule", async () => {
    const pushed = await pushProto(scope([3n]), scope([-1n]), scope([5n]));

    expect(messagesOf(pushed)).toEqual(["ok", expect.stringContaining("negative"), "ok"]);
    expect(pushed.profiles).toHaveLength(2);
  });

  it("reads JSON, with ids in base64 and in hexadecimal", async () => {
    const base64 = JSON.stringify(toJson(ExportProfilesServiceRequestSchema, request(scope([3n]))));
    const hex = base64.replace(/"(?:spanId|traceId|profileId)":"([^"]*)"/g, (pair, text: string) =>
      pair.replace(text, Buffer.from(text, "base64").toString("hex")),
    );
    expect(hex).toContain("cdcdcdcdcdcdcdcd");

    const pushes = await Promise.all(
      [base64, hex].map((text) => push({ labels: [], payload: bytes(text), format: json })),
    );
    const expected = await pushProto(scope([3n]));

    for (const { profiles } of pushes) {
      expect(summarize(profiles)).toEqual(summarize(expected.profiles));
      expect(profiles.map(({ identity }) => identity)).toEqual(
        expected.profiles.map(({ identity }) => identity),
      );
      expect(decodePprof(encodePprof(profiles[0]!.profile))).toEqual(expected.profiles[0]?.profile);
    }
  });

  it.for([
    ["JSON that is none", "{", "Failed to parse JSON request: "],
    [
      "JSON with a field that is not known",
      '{"resource_profiles":[],"x":1}',
      "Failed to parse JSON request: ",
    ],
    ["deep JSON", "[".repeat(200_000), "Failed to parse JSON request: it is nested deeper than 200"],
    ["JSON without a dictionary", "{}", "missing profile metadata dictionary"],
  ] as const)("refuses %s", async ([, text, message]) => {
    expect(messagesOf(await push({ labels: [], payload: bytes(text), format: json }))).toEqual([
      expect.stringContaining(`malformed_profile true: ${message}`),
    ]);
  });

  it("bounds JSON", async () => {
    const payload = new Uint8Array(16 * 1024 * 1024 + 1).fill(0x20);

    expect(messagesOf(await push({ labels: [], payload, format: json }))).toEqual([
      "profile_size_limit true: profile payload size exceeds limit of 17 MB for JSON",
    ]);
  });

  it("refuses bytes that are no protobuf, and a profile that does not convert", async () => {
    const bad = request(scope([3n]));
    const [profile] = bad.resourceProfiles[0]!.scopeProfiles[0]!.profiles;
    profile!.samples[0]!.stackIndex = 7;

    expect(messagesOf(await push({ labels: [], payload: new Uint8Array([0x0a, 0x7f]), format }))).toEqual([
      expect.stringContaining("malformed_profile true: Failed to parse protobuf request: "),
    ]);
    expect(
      messagesOf(
        await push({ labels: [], payload: toBinary(ExportProfilesServiceRequestSchema, bad), format }),
      ),
    ).toEqual([
      "malformed_profile true: failed to convert otel profile: invalid stack index: 7: the table has 1 rows",
    ]);
  });
});
