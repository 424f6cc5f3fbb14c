import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import {
  decodePprof,
  encodePprof,
  formatProfileType,
  labelSetFromRecord,
  type Profile,
  totalValues,
} from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { openStore } from "../store/local-store.ts";
import { nodeFs } from "../store/node-fs.ts";
import type { Store } from "../store/store.ts";
import { expandRecord } from "./expand-record.ts";
import { Ingester } from "./ingester.ts";
import { DEFAULT_INGEST_LIMITS } from "./limits.ts";
import type { PushItem } from "./push-service.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const NOW_NANOS = BigInt(NOW_MS) * 1_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;
const testdata = fileURLToPath(new URL("../../../protocol/src/testing/testdata", import.meta.url));

const opened: { readonly store: Store; readonly directory: string }[] = [];
afterEach(async () => {
  for (const { store, directory } of opened.splice(0)) {
    await store.close();
    await rm(directory, { recursive: true });
  }
});

async function createDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "pyroscope-ingest-"));
}

async function open(directory: string) {
  const store = await openStore({
    directory,
    fs: nodeFs,
    clock: systemClock,
    expand: expandRecord,
    retentionMillis: 0,
    log: () => {},
  });
  opened.push({ store, directory });
  const ingester = new Ingester({
    store,
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  const push = (items: readonly PushItem[]) =>
    ingester.push({
      tenant: "anonymous",
      receivedUnixMillis: NOW_MS,
      items,
      limits: { ...DEFAULT_INGEST_LIMITS, rejectOlderThanMs: 0, rejectNewerThanMs: 0 },
    });
  return { store, push };
}

/** Closes a store as a test's end would, but keeps its directory. */
async function close(store: Store): Promise<void> {
  opened.splice(
    opened.findIndex((one) => one.store === store),
    1,
  );
  await store.close();
}

/** Sums of samples and of totals by profile type, as the next query would see them. */
async function readSums(
  store: Store,
): Promise<Readonly<Record<string, readonly [samples: bigint, totals: bigint]>>> {
  const snapshot = await store.snapshot({
    tenants: ["anonymous"],
    fromUnixNanos: 0n,
    untilUnixNanos: MAX_INT64,
  });
  try {
    const sumOf = async (table: "samples" | "totals", column: string) => {
      const columns = await snapshot.database.select(
        `SELECT type, sum(${column})::BIGINT AS sum FROM ${snapshot.from(table)} GROUP BY type`,
      );
      const sums = columns.bigints("sum");
      return new Map(columns.texts("type").map((type, row) => [type, sums[row] ?? 0n]));
    };
    const samples = await sumOf("samples", "value");
    const totals = await sumOf("totals", "total");
    return Object.fromEntries(
      [...new Set([...samples.keys(), ...totals.keys()])]
        .sort()
        .map((type) => [type, [samples.get(type) ?? 0n, totals.get(type) ?? 0n]] as const),
    );
  } finally {
    snapshot.release();
  }
}

/** What {@link readSums} should give for profiles pushed under one name each. */
function expectedSums(profiles: readonly (readonly [name: string, profile: Profile])[]) {
  const sums = profiles.flatMap(([name, profile]) => {
    const totals = totalValues(profile);
    return profile.sampleTypes.map(({ type, unit }, i) => {
      const { type: periodType = "", unit: periodUnit = "" } = profile.periodType ?? {};
      const id = formatProfileType({ name, sampleType: type, sampleUnit: unit, periodType, periodUnit });
      return [id, [totals[i] ?? 0n, totals[i] ?? 0n]] as const;
    });
  });
  return Object.fromEntries(sums.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

const item = (name: string, payload: Uint8Array): PushItem => ({
  labels: labelSetFromRecord({ __name__: name, service_name: "shop" }),
  payload,
  id: "",
});

describe("Ingester with a store", () => {
  it("serves exactly the sums of real profiles: from the head, from blocks, after a restart, after a crash", async () => {
    const directory = await createDirectory();
    const files = (await readdir(testdata)).filter((name) => name.endsWith(".pb.gz"));
    const payloads = await Promise.all(files.map((name) => readFile(join(testdata, name))));
    const profiles = payloads.map((bytes, i) => [`p${i}`, decodePprof(gunzipSync(bytes))] as const);
    const expected = expectedSums(profiles);
    expect(Object.keys(expected).length).toBeGreaterThan(files.length);

    const first = await open(directory);
    const results = await first.push(payloads.map((bytes, i) => item(`p${i}`, bytes)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(await readSums(first.store)).toEqual(expected);
    // The log alone, as a machine that lost its power would have it.
    const crashed = await createDirectory();
    await cp(join(directory, "wal"), join(crashed, "wal"), { recursive: true });
    expect(await readSums((await open(crashed)).store)).toEqual(expected);

    await first.store.flush();
    expect(await readSums(first.store)).toEqual(expected);
    await close(first.store);

    const second = await open(directory);
    expect(await readSums(second.store)).toEqual(expected);
    // The same pushes again, now that only blocks have them.
    await second.push(payloads.map((bytes, i) => item(`p${i}`, bytes)));
    expect(await readSums(second.store)).toEqual(expected);
  });

  it("keeps different content of one series and one time, and counts equal content once", async () => {
    const { store, push } = await open(await createDirectory());
    const drawn = (value: number) =>
      encodePprof(profileFromText("main\nf", { values: [value], timeUnixNanos: NOW_NANOS }));

    await push([item("cpu", drawn(1)), item("cpu", drawn(1)), item("cpu", drawn(10))]);
    await Promise.all([
      push([item("cpu", drawn(10))]),
      push([item("cpu", drawn(100))]),
      push([item("cpu", drawn(100))]),
    ]);

    expect(await readSums(store)).toEqual({ "cpu:samples:count::": [111n, 111n] });
  });

  it("serves the sum of a profile that was split by its samples' labels and spans", async () => {
    const { store, push } = await open(await createDirectory());
    const profile = profileFromText(
      `
      main  main  main  main
      f     f     g     g
    `,
      {
        values: [1, 10, 100, 2n ** 53n],
        labels: [
          { route: "/a" },
          { route: "/b", span_id: "00000000000000ff" },
          {},
          { span_id: "bad", __name__: "x" },
        ],
        timeUnixNanos: NOW_NANOS,
      },
    );

    await push([item("cpu", encodePprof(profile))]);

    const sum = 111n + 2n ** 53n;
    expect(await readSums(store)).toEqual({ "cpu:samples:count::": [sum, sum] });
  });
});
