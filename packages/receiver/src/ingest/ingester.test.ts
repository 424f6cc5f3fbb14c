import { gzipSync } from "node:zlib";
import { encodePprof, formatLabels, labelSetFromRecord, type Profile } from "@pyroscope-ts/protocol";
import { type ProfileFromTextOptions, profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import { ReceiverError } from "../errors.ts";
import type { Admission, AdmittedProfile } from "../store/admission.ts";
import { hashLabels } from "../store/hash-profile.ts";
import { expandRecord } from "./expand-record.ts";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import type { PushItem, PushItemRefused } from "./push-service.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const NOW_NANOS = BigInt(NOW_MS) * 1_000_000n;
const labels = labelSetFromRecord({ __name__: "process_cpu", service_name: "shop" });
const LABELS_TEXT = '{__name__="process_cpu", service_name="shop"}';

const DRAWING = `
  main    main
  handle  idle
`;

function draw(options: ProfileFromTextOptions = {}, drawing = DRAWING): Profile {
  return profileFromText(drawing, { timeUnixNanos: NOW_NANOS, ...options });
}

const pprof = (options?: ProfileFromTextOptions, drawing?: string) => encodePprof(draw(options, drawing));
const item = (payload: Uint8Array, rest: Partial<PushItem> = {}): PushItem => ({
  labels,
  payload,
  id: "",
  ...rest,
});

function createIngester({
  append = () => Promise.resolve(),
}: {
  append?: (admission: Admission) => Promise<void>;
} = {}) {
  const admissions: Admission[] = [];
  const logged: string[] = [];
  const series = new Set<bigint>();
  const ingester = new Ingester({
    store: {
      append: async (admission) => {
        await append(admission);
        admissions.push(admission);
        for (const profile of admission.profiles) series.add(hashLabels(profile.labels));
      },
      hasSeries: (_tenant, id) => series.has(id),
      seriesCount: () => series.size,
    },
    log: (message) => logged.push(message),
  });
  const push = (items: readonly PushItem[], limits: Partial<IngestLimits> = {}) =>
    ingester.push({
      tenant: "anonymous",
      receivedUnixMillis: NOW_MS,
      items,
      limits: { ...DEFAULT_INGEST_LIMITS, ...limits },
      client: "test/1",
    });
  const profiles = (): readonly AdmittedProfile[] => admissions.flatMap((admission) => admission.profiles);
  return { push, profiles, admissions, logged };
}

async function refusalOf(one: PushItem, limits?: Partial<IngestLimits>): Promise<PushItemRefused> {
  const { push, admissions } = createIngester();
  const [result] = await push([one], limits);
  expect(admissions).toEqual([]);
  expect(result).toMatchObject({ ok: false });
  return result as PushItemRefused;
}

/** Everything of a profile but its decoded columns, which are compared by their encoding. */
const show = (profiles: readonly AdmittedProfile[]) =>
  profiles.map(({ profile, ...rest }) => ({
    ...rest,
    pprof: Buffer.from(encodePprof(profile)).toString("hex"),
  }));

describe("Ingester", () => {
  it.for([
    ["plain", (bytes: Uint8Array) => bytes],
    ["gzip", (bytes: Uint8Array) => gzipSync(bytes)],
  ] as const)("stores a %s pprof under its series, at its time", async ([, pack]) => {
    const { push, profiles } = createIngester();

    expect(await push([item(pack(pprof()), { id: "7" })])).toMatchObject([
      { ok: true, profiles: 1, service: "shop" },
    ]);

    expect(profiles()).toMatchObject([{ labels, timeUnixNanos: NOW_NANOS, sampleRows: undefined }]);
  });

  it("gives the same content the same identity, gzipped or not, and different content another", async () => {
    const { push, profiles } = createIngester();

    await push([item(pprof()), item(gzipSync(pprof(), { level: 1 })), item(pprof({ values: [1, 2] }))]);

    const [first, second, third] = profiles().map(({ identity }) => identity);
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  it("hands what is admitted of a batch over as one record", async () => {
    const { push, admissions } = createIngester();

    const results = await push([
      item(pprof()),
      item(Buffer.from("no pprof")),
      item(pprof({ values: [2, 3] })),
    ]);

    expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(admissions.map(({ profiles }) => profiles.length)).toEqual([2]);
  });

  it("stores nothing, and says so, for a profile whose samples are all zero", async () => {
    const { push, admissions } = createIngester();

    expect(await push([item(pprof({ values: [0, 0] }))])).toMatchObject([
      { ok: true, profiles: 0, service: "shop" },
    ]);
    expect(admissions).toEqual([]);
  });

  it("splits by sample labels", async () => {
    const { push, profiles } = createIngester();

    const results = await push([item(pprof({ labels: [{ route: "/a" }, { route: "/b" }] }))]);

    expect(results).toMatchObject([{ ok: true, profiles: 2, service: "shop" }]);
    expect(profiles().map((profile) => formatLabels(profile.labels))).toEqual([
      '{__name__="process_cpu", route="/a", service_name="shop"}',
      '{__name__="process_cpu", route="/b", service_name="shop"}',
    ]);
  });

  it("names the profile by its sample types, and takes `from` for its time, on /ingest", async () => {
    const { push, profiles } = createIngester();
    const hints = { fromUnixNanos: NOW_NANOS - 5n, sampleTypeConfig: undefined };
    const heap = { sampleTypes: [{ type: "inuse_space", unit: "bytes" }], timeUnixNanos: 0n };

    await push([item(pprof(heap), { labels: labelSetFromRecord({ service_name: "shop" }), ingest: hints })]);

    expect(formatLabels(profiles()[0]!.labels)).toBe('{__name__="memory", service_name="shop"}');
    expect(profiles()[0]!.timeUnixNanos).toBe(NOW_NANOS - 5n);
  });

  it("answers that the storage is not available when it is not, for admitted profiles alone", async () => {
    const error = new ReceiverError("disk is full", { code: "STORAGE_UNAVAILABLE" });
    const { push, logged } = createIngester({ append: () => Promise.reject(error) });

    const results = await push([
      item(pprof()),
      item(Buffer.from("no pprof")),
      item(pprof({ values: [0, 0] })),
    ]);

    expect(results).toMatchObject([
      { ok: false, reason: "storage_unavailable", code: "unavailable", message: "disk is full" },
      { ok: false, reason: "malformed_profile" },
      { ok: true, profiles: 0, service: "shop" },
    ]);
    expect(logged).toEqual([]);
  });

  it("answers a defect with a text that says nothing of it, and gives the series' room back", async () => {
    let fails = true;
    const { push, logged } = createIngester({
      append: () => (fails ? Promise.reject(new Error("secret")) : Promise.resolve()),
    });

    expect(await push([item(pprof())], { maxSeries: 1 })).toMatchObject([
      { ok: false, reason: "unknown", code: "internal", message: "internal error" },
    ]);
    fails = false;
    const other = labelSetFromRecord({ __name__: "process_cpu", service_name: "other" });
    expect(await push([item(pprof(), { labels: other })], { maxSeries: 1 })).toMatchObject([
      { ok: true, profiles: 1, service: "other" },
    ]);
    expect(logged).toEqual(["storing 1 profiles of tenant anonymous from test/1"]);
  });

  it("survives an item that meets a defect", async () => {
    const { push, logged } = createIngester();
    const broken = { ...item(pprof(), { id: "9" }), labels: undefined } as unknown as PushItem;

    expect(await push([broken, item(pprof())])).toMatchObject([
      { ok: false, code: "internal" },
      { ok: true },
    ]);
    expect(logged).toEqual(['admitting profile "9" of tenant anonymous from test/1']);
  });

  it("stores a large batch in portions", async () => {
    const { push, admissions } = createIngester();
    const large = (name: string) => item(gzipSync(pprof({ comments: [name.repeat(3_000_000)] })));

    const results = await push(["a", "b", "c", "d", "e", "f", "g"].map(large), { maxSymbolBytes: 10 });

    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(admissions.map(({ profiles }) => profiles.length)).toEqual([6, 1]);
  });
});

describe("Ingester at its limits", () => {
  it("takes a profile at each limit and refuses one past it, with Pyroscope's reason and text", async () => {
    const { push } = createIngester();
    const bytes = pprof({
      labels: [
        { a: "1", b: "2" },
        { a: "1", b: "2" },
      ],
    });
    const atLimit: Partial<IngestLimits> = {
      maxProfileSizeBytes: bytes.length,
      bodyLimitBytes: bytes.length,
      maxSamples: 2,
      maxLabelsPerSample: 2,
      maxLabelNamesPerSeries: 4,
      maxLabelNameBytes: "service_name".length,
      maxLabelValueBytes: "process_cpu".length,
      maxSeries: 1,
    };
    expect(await push([item(bytes)], atLimit)).toMatchObject([{ ok: true, profiles: 1, service: "shop" }]);

    const refused = async (limits: Partial<IngestLimits>) => {
      const { reason, code, message } = await refusalOf(item(bytes), { ...atLimit, ...limits });
      return [reason, code, message];
    };
    expect(await refused({ maxProfileSizeBytes: bytes.length - 1 })).toEqual([
      "profile_size_limit",
      "invalid_argument",
      `uncompressed profile payload size exceeds limit of ${bytes.length - 1} B`,
    ]);
    expect(await refused({ bodyLimitBytes: bytes.length - 1 })).toEqual([
      "body_size_limit_exceeded",
      "invalid_argument",
      `uncompressed batched profile payload size exceeds limit of ${bytes.length - 1} B`,
    ]);
    expect(await refused({ maxSamples: 1 })).toEqual([
      "samples_limit",
      "invalid_argument",
      `the profile with labels '${LABELS_TEXT}' exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)`,
    ]);
    expect(await refused({ maxLabelsPerSample: 1 })).toEqual([
      "sample_labels_limit",
      "invalid_argument",
      `the profile with labels '${LABELS_TEXT}' exceeds the sample labels limit (max_profile_stacktrace_sample_labels, actual: 2, limit: 1)`,
    ]);
    const final = '{__name__="process_cpu", a="1", b="2", service_name="shop"}';
    expect(await refused({ maxLabelNamesPerSeries: 3 })).toEqual([
      "max_label_names_per_series",
      "invalid_argument",
      `profile series '${final}' has 4 label names; limit 3`,
    ]);
    expect((await refused({ maxLabelNameBytes: "service_name".length - 1 }))[0]).toBe("label_name_too_long");
    expect((await refused({ maxLabelValueBytes: "process_cpu".length - 1 }))[0]).toBe("label_value_too_long");
  });

  it("has no limit where it is 0", async () => {
    const { push } = createIngester();
    const unlimited = Object.fromEntries(
      Object.entries(DEFAULT_INGEST_LIMITS).map(([key, value]) => [
        key,
        typeof value === "number" ? 0 : value,
      ]),
    );

    expect(await push([item(pprof({ labels: [{ a: "1" }], timeUnixNanos: 1n }))], unlimited)).toMatchObject([
      { ok: true, profiles: 2, service: "shop" },
    ]);
  });

  it("refuses a new series at the limit, and goes on with those it knows", async () => {
    const { push } = createIngester();
    const other = labelSetFromRecord({ __name__: "process_cpu", service_name: "other" });
    const results = await push([item(pprof()), item(pprof(), { labels: other }), item(pprof())], {
      maxSeries: 1,
    });

    expect(results).toMatchObject([
      { ok: true },
      { ok: false, reason: "series_limit", code: "resource_exhausted" },
      { ok: true },
    ]);
  });

  it("cuts deep stacks at the leaf side and long names at their begin, and keeps every total", async () => {
    const { push, profiles } = createIngester();

    await push([item(pprof({ values: [3, 4] }, "root    root\nlonger  idle"))], {
      maxDepth: 1,
      maxSymbolBytes: 3,
    });

    const { profile } = profiles()[0]!;
    expect(profile.strings).toContain("oot");
    expect([...profile.samples.values]).toEqual([3n, 4n]);
    expect(profile.samples.location).toHaveLength(2);
  });

  it("rewrites label names where the tenant wants classic ones, and refuses what then clashes", async () => {
    const { push, profiles } = createIngester();
    const classic = { isLabelSanitizationDisabled: false };

    expect(await push([item(pprof({ labels: [{ "http.route": "/" }] }))], classic)).toMatchObject([
      { ok: true, renamedLabelCount: 1, measures: { profileName: "process_cpu" } },
    ]);

    expect(formatLabels(profiles()[0]!.labels)).toBe(
      '{__name__="process_cpu", http_route="/", service_name="shop"}',
    );
    const clash = pprof({ labels: [{ "a.b": "1", a_b: "2" }] });
    expect(await refusalOf(item(clash), classic)).toMatchObject({ reason: "duplicate_label_names" });
    expect(await refusalOf(item(pprof({ labels: [{ "a-b": "1" }] })), classic)).toMatchObject({
      reason: "invalid_labels",
    });
  });
});

describe("Ingester refusing labels", () => {
  it.for([
    [
      { service_name: "shop" },
      "invalid_labels",
      `invalid labels '{service_name="shop"}' with error: invalid metric name`,
    ],
    [{ __name__: "", service_name: "shop" }, "invalid_labels", undefined],
    [{ __name__: "cpu", "": "x" }, "invalid_labels", undefined],
    [{ __name__: "cpu", bad: "\ud800" }, "invalid_labels", undefined],
    [{ __name__: "a:b" }, "malformed_profile", 'part "a:b" of the profile type contains :'],
  ] as const)("%j", async ([record, reason, message]) => {
    const refused = await refusalOf(item(pprof(), { labels: labelSetFromRecord(record) }));

    expect(refused.reason).toBe(reason);
    expect(message ?? refused.message).toBe(refused.message);
  });

  it("refuses a label that stands twice", async () => {
    const twice = [...labels, { name: "a", value: "1" }, { name: "a", value: "2" }];

    expect(await refusalOf(item(pprof(), { labels: twice }))).toMatchObject({
      reason: "duplicate_label_names",
    });
  });

  it("refuses the whole profile for one sample with a bad label", async () => {
    const long = pprof({ labels: [{ a: "x" }, { a: "x".repeat(2049) }] });

    expect(await refusalOf(item(long))).toMatchObject({ reason: "label_value_too_long" });
  });

  it("refuses a profile outside of the ingestion window", async () => {
    expect(await refusalOf(item(pprof({ timeUnixNanos: NOW_NANOS - 3_600_001_000_000n })))).toMatchObject({
      reason: "not_in_ingestion_window",
      message: expect.stringContaining(`profile with labels '${LABELS_TEXT}' is outside of ingestion window`),
    });
  });
});

describe("expandRecord", () => {
  const hostile = {
    labels: [{ "a.b": "1", span_id: "00000000000000ff" }, { __proto: "x" }],
    timeUnixNanos: 0n,
  };

  it("makes exactly the profiles that were admitted, whatever was decided about them", async () => {
    const { push, admissions } = createIngester();
    const hints = { fromUnixNanos: NOW_NANOS - 7n, sampleTypeConfig: undefined };
    await push(
      [
        item(gzipSync(pprof(hostile))),
        item(pprof(hostile), { ingest: hints, labels: labelSetFromRecord({ service_name: "shop" }) }),
      ],
      { isLabelSanitizationDisabled: false, maxDepth: 1, maxSymbolBytes: 4 },
    );
    const [admission] = admissions;

    expect(show(expandRecord("anonymous", admission!.record))).toEqual(show(admission!.profiles));
    expect(admission!.profiles).toHaveLength(4);
  });

  it("refuses a record of another tenant, and one that is damaged", async () => {
    const { push, admissions } = createIngester();
    await push([item(pprof())]);
    const { record } = admissions[0]!;

    expect(() => expandRecord("other", record)).toThrow(expect.objectContaining({ code: "STORAGE_FORMAT" }));
    expect(() => expandRecord("anonymous", record.subarray(0, -1))).toThrow(
      expect.objectContaining({ code: "STORAGE_FORMAT" }),
    );
  });
});
