import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodePprof, encodePprof, labelSetFromRecord, ProfileBuilder } from "@pyroscope-ts/protocol";
import { expect, test } from "vitest";
import { admitItem } from "./admit-item.ts";
import { DEFAULT_INGEST_LIMITS } from "./limits.ts";
import type { PushBatch } from "./push-service.ts";
import { RateLimiter } from "./rate-limiter.ts";

const rates = new RateLimiter(() => 0);
const NOW_MS = 1_772_366_400_000;

/** A service's window of 15 s: stacks of 30 frames, spread over routes, some of them in spans. */
function labelledProfile(sampleCount: number): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
    timeUnixNanos: BigInt(NOW_MS) * 1_000_000n,
  });
  const locations = Array.from({ length: 2000 }, (_, i) =>
    builder.location({
      lines: [{ function: builder.function({ name: `function${i}`, file: `file${i % 50}.ts` }), line: i }],
    }),
  );
  for (let sample = 0; sample < sampleCount; sample++) {
    const stack = Array.from({ length: 30 }, (_, depth) => locations[(sample * 7 + depth * 13) % 2000]!);
    builder.addSample(
      stack,
      [10_000_000n],
      [
        { key: "route", text: `/route/${sample % 20}` },
        { key: "span_id", text: (sample % 500).toString(16).padStart(16, "0") },
      ],
    );
  }
  return gzipSync(encodePprof(builder.build()));
}

const testdata = new URL("../../../protocol/src/testing/testdata/", import.meta.url);
const payloads = {
  "node-time.pb.gz": readFileSync(new URL("node-time.pb.gz", testdata)),
  "go-heap.pb.gz": readFileSync(new URL("go-heap.pb.gz", testdata)),
  "1,500 samples, 20 routes, 500 spans": labelledProfile(1500),
  "15,000 samples, 20 routes, 500 spans": labelledProfile(15_000),
};

test.for(Object.entries(payloads))(
  "%s: what admission adds to gunzip and decode",
  async ([, payload], { bench }) => {
    const batch: PushBatch = {
      tenant: "anonymous",
      receivedUnixMillis: NOW_MS,
      items: [],
      limits: { ...DEFAULT_INGEST_LIMITS, rejectOlderThanMs: 0, rejectNewerThanMs: 0 },
    };
    const item = { labels: labelSetFromRecord({ __name__: "cpu", service_name: "shop" }), payload, id: "" };
    expect(admitItem(batch, item, 0, rates)).toMatchObject({ ok: true });

    await bench.compare(
      bench("gunzip and decode", () => {
        decodePprof(gunzipSync(payload));
      }),
      bench("admit", () => {
        admitItem(batch, item, 0, rates);
      }),
    );
  },
);
