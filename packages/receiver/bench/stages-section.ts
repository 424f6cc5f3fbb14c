import { gzipSync } from "node:zlib";
import { decodePprof, type LabelSet, labelSetFromRecord, type Profile } from "@pyroscope-ts/protocol";
import { inflatePayload } from "../src/ingest/inflate-payload.ts";
import { hashPayload } from "../src/ingest/payload-identity.ts";
import { encodePushRecord } from "../src/ingest/push-record.ts";
import { splitSamples } from "../src/ingest/split-samples.ts";
import type { AdmittedProfile } from "../src/store/admission.ts";
import { type HashedProfile, ProfileHasher } from "../src/store/hash-profile.ts";
import { createProfileRows } from "../src/store/profile-rows.ts";
import { goLikePprof } from "../src/store/testing/go-like-profile.ts";
import { GO_LIKE, NODE_LIKE, type PushKind } from "./pushes.ts";
import { printTable } from "./table.ts";

const SERVICE_COUNT = 12;
const PROFILE_COUNT = 240;
const ROUNDS = 8;
const BEGIN_MS = 1_760_000_000_000;
const LIMIT_BYTES = 4 * 1024 * 1024;

interface Payload {
  readonly labels: LabelSet;
  readonly raw: Uint8Array;
  readonly gzip: Uint8Array;
}

/** What the steps of the storage thread take that are this project's own work, each by itself and warm. */
export function benchStages(): Promise<void> {
  const kinds = [GO_LIKE, NODE_LIKE];
  const columns = kinds.map(measureStages);
  const names = Object.keys(columns[0] ?? {});
  const rows = names.map((name) => [name, ...columns.map((column) => (column[name] ?? 0).toFixed(0))]);
  const sums = columns.map((column) => Object.values(column).reduce((sum, micros) => sum + micros, 0));
  printTable(
    "Stages of ingest (us of CPU for each profile, best of 8 rounds)",
    ["stage", ...kinds.map(({ name }) => name)],
    [...rows, ["all", ...sums.map((sum) => sum.toFixed(0))]],
  );
  return Promise.resolve();
}

function measureStages({ shape }: PushKind): Readonly<Record<string, number>> {
  const payloads = Array.from({ length: PROFILE_COUNT }, (_, i): Payload => {
    const service = i % SERVICE_COUNT;
    const raw = goLikePprof({ ...shape, seed: 1 + service, timeUnixMillis: BEGIN_MS + i * 15_000 });
    const labels = labelSetFromRecord({ __name__: "process_cpu", service_name: `service-${service}` });
    return { labels, raw, gzip: Uint8Array.from(gzipSync(raw)) };
  });
  const hasher = new ProfileHasher();
  const profiles = payloads.map(({ raw }) => decodePprof(raw));
  const hashed = profiles.map((profile) => hasher.hash(profile));
  const admitted = payloads.map(({ labels }, i) => admit(labels, profiles[i] as Profile));
  const each = (run: (payload: Payload, i: number) => unknown) => (): void => payloads.forEach(run);
  const stages: Readonly<Record<string, () => void>> = {
    gunzip: each(({ gzip }) => inflatePayload(gzip, LIMIT_BYTES, String)),
    decode: each(({ raw }) => decodePprof(raw)),
    "hash of the payload": each(({ raw }) => hashPayload(raw)),
    "split by labels": each(({ labels }, i) => splitSamples(profiles[i] as Profile, labels, (same) => same)),
    "record for the log": each(({ labels, gzip }) => encodeRecord(labels, gzip)),
    "hashes of frames and stacks": each((_, i) => hasher.hash(profiles[i] as Profile)),
    "rows for the head": each((_, i) =>
      createProfileRows(admitted[i] as AdmittedProfile, hashed[i] as HashedProfile),
    ),
  };
  return Object.fromEntries(Object.entries(stages).map(([name, run]) => [name, measureBest(run)]));
}

function admit(labels: LabelSet, profile: Profile): AdmittedProfile {
  return {
    labels,
    timeUnixNanos: profile.timeUnixNanos,
    identity: { hi: 1n, lo: 1n },
    profile,
    sampleRows: undefined,
    spanIds: undefined,
    traceIds: undefined,
  };
}

function encodeRecord(labels: LabelSet, payload: Uint8Array): Uint8Array {
  const item = { labels, payload, timeUnixNanos: 1n, payloadHash: new Uint8Array(16) };
  return encodePushRecord({
    tenant: "anonymous",
    receivedUnixMillis: BEGIN_MS,
    items: [{ ...item, maxDepth: 0, maxSymbolBytes: 0, isSanitized: true }],
  });
}

function measureBest(run: () => void): number {
  for (let i = 0; i < 3; i++) run();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / PROFILE_COUNT;
  });
  return Math.min(...rounds);
}
