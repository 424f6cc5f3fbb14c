import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodePprof, type LabelSet, labelSetFromRecord } from "@pyroscope-ts/protocol";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import type { Admission } from "./admission.ts";
import { ProfileHasher } from "./hash-profile.ts";
import { openStore } from "./local-store.ts";
import { nodeFs } from "./node-fs.ts";
import { createProfileRows } from "./profile-rows.ts";
import { goLikePprof } from "./testing/go-like-profile.ts";

const SERVICES = 12;
const TIMES = 20;
const PROFILES = 2000;
const WRITERS = 16;

interface Payload {
  readonly labels: LabelSet;
  readonly gzip: Buffer;
  readonly raw: Uint8Array;
}

const payloads: readonly Payload[] = Array.from({ length: SERVICES * TIMES }, (_, i) => {
  const service = i % SERVICES;
  const raw = goLikePprof({ seed: 1 + service, timeUnixMillis: 1_760_000_000_000 + i * 15_000 });
  const labels = labelSetFromRecord({ __name__: "process_cpu", service_name: `service-${service}` });
  return { labels, raw, gzip: gzipSync(raw) };
});

function admissionOf(index: number): Admission {
  const { labels, gzip } = payloads[index % payloads.length]!;
  const admitted = {
    labels,
    timeUnixNanos: BigInt(1_760_000_000_000 + index) * 1_000_000n,
    identity: { hi: 1n, lo: BigInt(index) },
    profile: decodePprof(gunzipSync(gzip)),
    sampleRows: undefined,
    spanIds: undefined,
    traceIds: undefined,
  };
  return { tenant: "anonymous", record: gzip, profiles: [admitted] };
}

/** Processor time of this process, all threads: on a busy machine the only number that repeats. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function report(what: string, count: number, micros: number): void {
  const rate = Math.round((count / micros) * 1e6);
  process.stdout.write(`${what}: ${rate} profiles per CPU second, ${Math.round(micros / count)} us each\n`);
}

test("stages of ingest", () => {
  const size = (bytes: (payload: Payload) => number): number =>
    Math.round(payloads.reduce((sum, payload) => sum + bytes(payload), 0) / payloads.length);
  process.stdout.write(
    `${size(({ raw }) => raw.length)} bytes raw, ${size(({ gzip }) => gzip.length)} gzip\n`,
  );
  const hasher = new ProfileHasher();
  const admitted = payloads.map((_, i) => admissionOf(i).profiles[0]!);
  const hashed = admitted.map(({ profile }) => hasher.hash(profile));
  const stages: Readonly<Record<string, () => unknown>> = {
    gunzip: () => payloads.map(({ gzip }) => gunzipSync(gzip)),
    decode: () => payloads.map(({ raw }) => decodePprof(raw)),
    hash: () => admitted.map(({ profile }) => hasher.hash(profile)),
    rows: () => admitted.map((one, i) => createProfileRows(one, hashed[i]!)),
  };
  for (const [stage, run] of Object.entries(stages)) {
    run();
    const best = Math.min(
      ...Array.from({ length: 5 }, () => {
        const before = cpuMicros();
        run();
        return cpuMicros() - before;
      }),
    );
    report(stage, payloads.length, best);
  }
});

test("gunzip, decode and append, then flush", { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "pyroscope-bench-"));
  const store = await openStore({
    directory,
    fs: nodeFs,
    clock: systemClock,
    expand: () => [],
    retentionMillis: 0,
    log: (line) => process.stdout.write(`${line}\n`),
    flush: { maxSampleCount: Number.MAX_SAFE_INTEGER },
  });
  let next = 0;
  const write = async (until: number): Promise<void> => {
    const writers = Array.from({ length: WRITERS }, async () => {
      while (next < until) await store.append(admissionOf(next++));
    });
    await Promise.all(writers);
  };
  await write(payloads.length);

  const begin = cpuMicros();
  await write(payloads.length + PROFILES);
  const appended = cpuMicros() - begin;
  report("gunzip, decode, append", PROFILES, appended);
  const { headRowCount, logBytes } = store.status();
  const beforeFlush = cpuMicros();
  await store.flush();
  const flushed = cpuMicros() - beforeFlush;
  report("flush", next, flushed);
  report("all of it", 1, appended / PROFILES + flushed / next);
  const { blockBytes: bytes } = store.status();
  process.stdout.write(
    `${headRowCount} samples, ${(bytes / headRowCount).toFixed(2)} bytes each in the block, `,
  );
  process.stdout.write(`${(logBytes / bytes).toFixed(1)} times smaller than the log\n`);
  expect(store.status().headRowCount).toBe(0);
  await store.close();
  await rm(directory, { recursive: true });
});
