import { encodePprof, formatLabels, labelSetFromRecord } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import type { Admission, AdmittedProfile } from "../store/admission.ts";
import { hashLabels } from "../store/hash-profile.ts";
import { expandRecord } from "./expand-record.ts";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS } from "./limits.ts";

const NOW_MS = 1_772_366_400_000;

function createIngester(maxSeries: number) {
  const admissions: Admission[] = [];
  const series = new Set<bigint>();
  const ingester = new Ingester({
    store: {
      append: async (admission) => {
        admissions.push(admission);
        for (const { labels } of admission.profiles) series.add(hashLabels(labels));
      },
      hasSeries: (_tenant, id) => series.has(id),
      seriesCount: () => series.size,
    },
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  let pushCount = 0;
  return {
    admissions,
    /** Pushes one profile with a sample for each route; "" is a sample without a label. */
    async push(service: string, routes: readonly string[]) {
      const profile = profileFromText(routes.map((_, i) => `f${i}`).join("  "), {
        timeUnixNanos: BigInt(NOW_MS + pushCount++) * 1_000_000n,
        values: routes.map((_, i) => i + 1),
        labels: routes.map((route, i) => ({
          ...(route !== "" && { route }),
          span_id: String(i + 1).padStart(16, "0"),
        })),
      });
      const labels = labelSetFromRecord({ __name__: "cpu", service_name: service });
      const [result] = await ingester.push({
        tenant: "a",
        receivedUnixMillis: NOW_MS,
        items: [{ labels, payload: encodePprof(profile), id: "" }],
        limits: { ...DEFAULT_INGEST_LIMITS, maxSeries },
      });
      return result;
    },
  };
}

/** Sum and span ids of each series of an admission. */
function describeProfiles(profiles: readonly AdmittedProfile[]): readonly string[] {
  return profiles.map(({ labels, profile, sampleRows, spanIds }) => {
    const rows = sampleRows ?? Uint32Array.from({ length: profile.samples.length }, (_, i) => i);
    const values = Array.from(rows, (row) => profile.samples.values[row]);
    const text = formatLabels(labels.filter(({ name }) => !["__name__", "service_name"].includes(name)));
    return `${text} ${values.join("+")} spans ${spanIds?.join()}`;
  });
}

describe("Ingester at the limit of series", () => {
  it("folds new series of a known service into one, and keeps totals, spans and known series", async () => {
    const { push, admissions } = createIngester(2);
    expect(await push("shop", ["/a", "/b"])).toMatchObject({ ok: true, profiles: 2, service: "shop" });

    const result = await push("shop", ["/a", "/c", "/d", "/b"]);

    expect(result).toMatchObject({ ok: true, profiles: 3, service: "shop", foldedSeriesCount: 2 });
    expect(describeProfiles(admissions[1]!.profiles)).toEqual([
      '{route="/a"} 1 spans 1',
      '{__overflow__="true"} 2+3 spans 2,3',
      '{route="/b"} 4 spans 4',
    ]);
  });

  it("adds one series for each service, however many labels its samples make up", async () => {
    const { push, admissions } = createIngester(1);
    await push("shop", ["/a"]);

    for (let i = 0; i < 20; i++) await push("shop", [`/x${i}`, `/y${i}`]);

    const series = new Set(
      admissions.flatMap(({ profiles }) => profiles.map(({ labels }) => hashLabels(labels))),
    );
    expect(series.size).toBe(2);
  });

  it("keeps samples without labels as they are", async () => {
    const { push, admissions } = createIngester(1);
    await push("shop", ["/a"]);

    await push("shop", ["", "/c"]);

    expect(describeProfiles(admissions[1]!.profiles)).toEqual([
      "{} 1 spans 1",
      '{__overflow__="true"} 2 spans 2',
    ]);
  });

  it("refuses a service whose own labels are new", async () => {
    const { push } = createIngester(1);
    await push("shop", ["/a"]);

    expect(await push("other", ["/a"])).toMatchObject({ ok: false, reason: "series_limit" });
    expect(await push("other", [""])).toMatchObject({ ok: false, reason: "series_limit" });
  });

  it("is replayed as it was admitted, whatever the limit is then", async () => {
    const { push, admissions } = createIngester(2);
    await push("shop", ["/a", "/b"]);
    await push("shop", ["/a", "/c", "/d"]);

    const { record, profiles } = admissions[1]!;
    const replayed = expandRecord("a", record);

    expect(describeProfiles(replayed)).toEqual(describeProfiles(profiles));
    expect(replayed.map(({ identity }) => identity)).toEqual(profiles.map(({ identity }) => identity));
  });
});
