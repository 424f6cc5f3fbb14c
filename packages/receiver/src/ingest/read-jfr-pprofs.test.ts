import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodePprof, formatLabels, totalValues } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import type { PushItemRefused } from "./push-service.ts";
import { readJfrPprofs } from "./read-jfr-pprofs.ts";
import type { PprofItem } from "./read-pprofs.ts";

const testdata = new URL("../../../protocol/src/jfr/testdata/", import.meta.url);
const read = (file: string): Uint8Array => readFileSync(new URL(file, testdata));

const AGENT = read("agent-itimer.jfr.gz");
const LABELS = read("agent-itimer.labels");

interface Upload {
  readonly payload?: Uint8Array;
  readonly labelsSnapshot?: Uint8Array;
  readonly sampleRateHz?: number;
  readonly limits?: Partial<IngestLimits>;
}

const expand = ({ payload = AGENT, labelsSnapshot = LABELS, sampleRateHz = 100, limits }: Upload = {}) =>
  readJfrPprofs(
    { labels: [{ name: "service_name", value: "shop" }], payload, id: "7" },
    { kind: "jfr", sampleRateHz, fromUnixNanos: 5_000n, untilUnixNanos: 6_000n, labelsSnapshot },
    { ...DEFAULT_INGEST_LIMITS, ...limits },
  );

const pprofsOf = (upload?: Upload) => expand(upload) as readonly PprofItem[];
const refusalsOf = (upload?: Upload) => expand(upload) as readonly PushItemRefused[];

describe("readJfrPprofs", () => {
  it("makes one pprof for each kind of event, with the name of its series and what triggered it", () => {
    const pprofs = pprofsOf().map(({ labels, payload }) => {
      const profile = decodePprof(payload);
      return [formatLabels(labels), profile.timeUnixNanos, profile.durationNanos, ...totalValues(profile)];
    });

    const labels = (name: string) => `{__name__="${name}", jfr_event="itimer", service_name="shop"}`;
    expect(pprofs).toHaveLength(4);
    expect(pprofs).toEqual(
      expect.arrayContaining([
        [labels("process_cpu"), 5_000n, 1_000n, 670_000_000n],
        [labels("memory"), 5_000n, 1_000n, 135n, 246_941_440n],
        [labels("memory"), 5_000n, 1_000n, 33n],
        [labels("mutex"), 5_000n, 1_000n, 4n, 933_207_761n],
      ]),
    );
  });

  it("takes recordings and labels gzipped or plain, and names them alike", () => {
    const plain = pprofsOf({ payload: gunzipSync(AGENT), labelsSnapshot: LABELS });

    expect(pprofsOf({ labelsSnapshot: gzipSync(LABELS) })).toEqual(plain);
  });

  it("names each profile of a recording, and each recording, by its content", () => {
    const other = Buffer.from(gunzipSync(AGENT));
    other.writeBigInt64BE(1n, 32); // when it started, which no profile shows
    const hashes = (upload: Upload) =>
      pprofsOf(upload).map(({ payloadHash }) => Buffer.from(payloadHash!).toString("hex"));

    expect(new Set([...hashes({}), ...hashes({ payload: other })]).size).toBe(8);
  });

  it("gives no label for a recording that does not say what triggered it", () => {
    const names = new Set(
      pprofsOf({ payload: read("jdk17.jfr.gz") }).map(({ labels }) => formatLabels(labels)),
    );

    expect([...names].sort()).toEqual([
      '{__name__="block", service_name="shop"}',
      '{__name__="memory", service_name="shop"}',
      '{__name__="mutex", service_name="shop"}',
      '{__name__="process_cpu", service_name="shop"}',
    ]);
  });

  it("counts samples as at 100 Hz where the client says 0", () => {
    const totals = pprofsOf({ sampleRateHz: 0 }).map(({ payload }) => totalValues(decodePprof(payload)));

    expect(totals).toContainEqual([670_000_000n]);
  });

  const size = gunzipSync(AGENT).length;
  it.for<[string, Upload, Partial<PushItemRefused>]>([
    [
      "something else",
      { payload: Buffer.from("\u0001pprof") },
      {
        reason: "malformed_profile",
        message: "decoding a JFR recording: chunk at byte 0: 6 bytes, a header has 68",
      },
    ],
    ["gzip that is cut off", { payload: AGENT.subarray(0, 99) }, { reason: "malformed_profile", bytes: 99 }],
    [
      "a recording that is cut off",
      { payload: gunzipSync(AGENT).subarray(0, 999) },
      { reason: "malformed_profile", bytes: 999 },
    ],
    [
      "labels that are cut off",
      { labelsSnapshot: LABELS.subarray(0, 9) },
      { reason: "malformed_profile", bytes: size },
    ],
    [
      "a recording above the size limit",
      { limits: { maxProfileSizeBytes: size - 1 } },
      {
        reason: "profile_size_limit",
        message: `decompressed size exceeds maximum allowed size of ${size - 1} bytes`,
      },
    ],
    [
      "labels above the size limit",
      { labelsSnapshot: gzipSync(new Uint8Array(size + 1)), limits: { maxProfileSizeBytes: size } },
      {
        reason: "profile_size_limit",
        message: `labels: decompressed size exceeds maximum allowed size of ${size} bytes`,
      },
    ],
    [
      "more samples than the tenant may send",
      { limits: { maxSamples: 3 } },
      { reason: "samples_limit", isUndecodable: false },
    ],
    [
      "more labels of a context than the tenant may send",
      { limits: { maxLabelsPerSample: 1 } },
      { reason: "sample_labels_limit", isUndecodable: false },
    ],
  ])("refuses %s", ([, upload, refusal]) => {
    expect(refusalsOf(upload)).toEqual([
      expect.objectContaining({ ok: false, code: "invalid_argument", isUndecodable: true, ...refusal }),
    ]);
  });

  it("takes a recording at the size limit", () => {
    expect(pprofsOf({ limits: { maxProfileSizeBytes: size } })).toHaveLength(4);
  });
});
