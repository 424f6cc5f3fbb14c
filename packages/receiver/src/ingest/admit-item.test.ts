import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  decodePprof,
  encodePprof,
  formatLabels,
  labelSetFromRecord,
  ProfileBuilder,
  totalValues,
} from "@pyroscope-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AdmittedProfile } from "../store/admission.ts";
import { admitItem } from "./admit-item.ts";
import { expandRecord } from "./expand-record.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "./limits.ts";
import { encodePushRecord, type PushRecordItem } from "./push-record.ts";
import { RateLimiter } from "./rate-limiter.ts";

const testdata = new URL("../../../protocol/src/testing/testdata/", import.meta.url);
const real = ["go-cpu", "go-heap", "node-heap", "node-time"].map((name) =>
  gunzipSync(readFileSync(new URL(`${name}.pb.gz`, testdata))),
);

function admit(payload: Uint8Array, limits: Partial<IngestLimits> = {}) {
  const batch = {
    tenant: "anonymous",
    receivedUnixMillis: 1_772_366_400_000,
    items: [],
    limits: { ...DEFAULT_INGEST_LIMITS, rejectOlderThanMs: 0, rejectNewerThanMs: 0, ...limits },
  };
  const labels = labelSetFromRecord({ __name__: "cpu", service_name: "shop" });
  return admitItem(batch, { labels, payload, id: "" }, 0, new RateLimiter(() => 0));
}

/** Sums of all parts of a profile, by sample type. */
function sumParts(parts: readonly AdmittedProfile[], width: number): readonly bigint[] {
  const sums = Array<bigint>(width).fill(0n);
  for (const { profile, sampleRows } of parts) {
    for (const row of sampleRows ?? Array.from({ length: profile.samples.length }, (_, i) => i)) {
      for (let column = 0; column < width; column++)
        sums[column]! += profile.samples.values[row * width + column]!;
    }
  }
  return sums;
}

/** Everything but the profile, which the parts of one payload share. */
const decisions = (parts: readonly AdmittedProfile[]) => parts.map(({ profile: _shared, ...rest }) => rest);

describe("admitItem", () => {
  it("keeps every total of real profiles, split or not", () => {
    for (const payload of real) {
      const profile = decodePprof(payload);
      const admitted = admit(payload);

      expect(admitted.ok && sumParts(admitted.profiles, profile.sampleTypes.length)).toEqual(
        totalValues(profile),
      );
    }
  });

  it("names generic functions of Go without their parameters, after a replay too, unless the record is an older one", () => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    const get = builder.function({ name: "Get[go.shape.int]", file: "main.go" });
    builder.addSample([builder.location({ lines: [{ function: get }] })], [1n]);
    const namesOf = (parts: readonly AdmittedProfile[]) =>
      parts.map(({ profile: { functions, strings } }) => strings[functions.name[0]!]);
    const replay = (...items: PushRecordItem[]) =>
      expandRecord("anonymous", encodePushRecord({ tenant: "anonymous", receivedUnixMillis: 1, items }));

    const admitted = admit(encodePprof(builder.build()));
    if (!admitted.ok) throw new Error(admitted.message);
    const { isGoFixed: _flag, ...older } = admitted.record;

    expect(namesOf(admitted.profiles)).toEqual(["Get[...]"]);
    expect(namesOf(replay(admitted.record, older))).toEqual(["Get[...]", "Get[go.shape.int]"]);
  });

  it("relabels each series and leaves out those that a rule drops, after a replay too", () => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    const main = builder.location({ lines: [{ function: builder.function({ name: "main" }) }] });
    builder.addSample([main], [1n], [{ key: "route", text: "/health" }]);
    builder.addSample([main], [2n], [{ key: "route", text: "/cart?id=7" }]);
    const relabelRules = JSON.stringify([
      { source_labels: ["route"], regex: "/health", action: "drop" },
      { source_labels: ["route"], regex: "([^?]*).*", target_label: "route" },
    ]);

    const admitted = admit(encodePprof(builder.build()), { relabelRules });
    if (!admitted.ok) throw new Error(admitted.message);
    const record = encodePushRecord({ tenant: "anonymous", receivedUnixMillis: 1, items: [admitted.record] });

    expect(admitted.droppedSeriesCount).toBe(1);
    expect(sumParts(admitted.profiles, 1)).toEqual([2n]);
    expect(admitted.profiles.map(({ labels }) => formatLabels(labels))).toEqual([
      '{__name__="cpu", route="/cart", service_name="shop"}',
    ]);
    expect(decisions(expandRecord("anonymous", record))).toEqual(decisions(admitted.profiles));
  });

  it("refuses a mutant with a reason, or keeps its totals and makes the same parts of its log record", () => {
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      byte: fc.nat(255),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...real),
        fc.array(mutation, { minLength: 1, maxLength: 8 }),
        (bytes, mutations) => {
          const mutant = Uint8Array.from(bytes);
          for (const { at, byte } of mutations) mutant[Math.floor(at * mutant.length)] = byte;
          const outcome = admit(mutant);

          if (!outcome.ok) return outcome.code === "invalid_argument" && outcome.message !== "";
          const profile = decodePprof(mutant);
          expect(sumParts(outcome.profiles, profile.sampleTypes.length)).toEqual(totalValues(profile));
          const record = encodePushRecord({
            tenant: "anonymous",
            receivedUnixMillis: 1,
            items: [outcome.record],
          });
          expect(decisions(expandRecord("anonymous", record))).toEqual(decisions(outcome.profiles));
          return true;
        },
      ),
      { numRuns: 300 },
    );
  });
});
