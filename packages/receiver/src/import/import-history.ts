import { createHash } from "node:crypto";
import {
  formatLabels,
  formatSelector,
  type LabelSet,
  PROFILE_NAME_LABEL,
  sortLabels,
} from "@pyroscope-ts/protocol";
import { googleV1, toBinary } from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../errors.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../ingest/limits.ts";
import { PAYLOAD_HASH_BYTES } from "../ingest/payload-identity.ts";
import type { PushItem, PushService } from "../ingest/push-service.ts";
import type { HistoryRange, HistorySource } from "./history-source.ts";
import type { ImportProgress } from "./import-progress.ts";

const DAY_MS = 86_400_000;
const NANOS_PER_MILLI = 1_000_000n;

// Calls that wait for the source at once: its answers take longer than what is done with them.
const CALLS_AT_ONCE = 4;

/** What history passed the source's limits when it was pushed, and its days are over. */
const LIMITS: IngestLimits = {
  ...DEFAULT_INGEST_LIMITS,
  bodyLimitBytes: 0,
  rateBytesPerSecond: 0,
  maxProfileSizeBytes: 0,
  maxSamples: 0,
  maxLabelNamesPerSeries: 0,
  maxSeries: 0,
  rejectOlderThanMs: 0,
  rejectNewerThanMs: 0,
};

/** What {@link importHistory} works with. */
export interface ImportOptions {
  readonly source: HistorySource;
  readonly target: PushService;
  readonly progress: Pick<ImportProgress, "isDone" | "finish">;
  readonly tenant: string;
  /** What the profiles of a series are summed up over; divides a day. */
  readonly stepMs: number;
  /** From the begin of the day of the first (UTC) to the end of the last step that is over. */
  readonly sinceUnixMillis: number;
  readonly untilUnixMillis: number;
  /** Takes a line for each day. */
  readonly report: (line: string) => void;
}

/** What an import brought. */
export interface ImportReport {
  readonly dayCount: number;
  /** Days that an earlier run had finished. */
  readonly skippedDayCount: number;
  readonly profileCount: number;
}

/**
 * Copies the history of another Pyroscope server, a day at a time, oldest first: for each series and step one profile,
 * the sum of the source's, at the begin of its step. Sums per series and step are the source's, and so are those per
 * service and day.
 *
 * A profile is named by its series and step, not by its content, so that it counts once however often it is imported.
 *
 * @throws {@link ReceiverError} UNAVAILABLE when the source does not answer, UNPROCESSABLE when a profile of it is refused:
 * the days before are done, and the next run goes on there.
 */
export async function importHistory(options: ImportOptions): Promise<ImportReport> {
  const { stepMs, progress, report } = options;
  const begin = Math.floor(options.sinceUnixMillis / DAY_MS) * DAY_MS;
  const end = Math.floor(options.untilUnixMillis / stepMs) * stepMs;
  let dayCount = 0;
  let skippedDayCount = 0;
  let profileCount = 0;
  for (let dayStart = begin; dayStart < end; dayStart += DAY_MS) {
    const day = new Date(dayStart).toISOString().slice(0, 10);
    dayCount++;
    if (progress.isDone(day)) {
      skippedDayCount++;
      report(`${day}: done before`);
      continue;
    }
    const endUnixMillis = Math.min(dayStart + DAY_MS, end) - 1;
    const imported = await importDay(options, { startUnixMillis: dayStart, endUnixMillis });
    profileCount += imported.profileCount;
    // The last day goes on.
    if (endUnixMillis === dayStart + DAY_MS - 1) await progress.finish(day);
    report(
      `${day}: ${imported.typeCount} types, ${imported.seriesCount} series, ${imported.profileCount} profiles`,
    );
  }
  return { dayCount, skippedDayCount, profileCount };
}

interface DayReport {
  readonly typeCount: number;
  readonly seriesCount: number;
  readonly profileCount: number;
}

async function importDay(options: ImportOptions, day: HistoryRange): Promise<DayReport> {
  const types = await options.source.profileTypes(day);
  let seriesCount = 0;
  let profileCount = 0;
  for (const type of types) {
    const series = await options.source.series(day, type);
    seriesCount += series.length;
    const selectors = selectEach(series.map(ownLabels));
    const steps = stepsOf(day, options.stepMs);
    const jobs = selectors.flatMap(({ labels, selector }) =>
      steps.map((step) => async (): Promise<void> => {
        if (await importStep(options, { type, labels, selector, step })) profileCount++;
      }),
    );
    await runAll(jobs);
  }
  return { typeCount: types.length, seriesCount, profileCount };
}

/** One series in one step. */
interface StepJob {
  readonly type: string;
  readonly labels: LabelSet;
  readonly selector: string;
  readonly step: HistoryRange;
}

/** Returns whether there was anything. */
async function importStep({ source, target, tenant }: ImportOptions, job: StepJob): Promise<boolean> {
  const profile = await source.merge(job.step, job.type, job.selector);
  if (profile === undefined) return false;
  const labels = job.labels;
  const item: PushItem = {
    labels,
    payload: toPayload(profile, job),
    payloadHash: hashStep(job),
    id: "",
  };
  const receivedUnixMillis = job.step.startUnixMillis;
  const [result] = await target.push({ tenant, receivedUnixMillis, items: [item], limits: LIMITS });
  if (result?.ok === true) return true;
  const reason = result === undefined ? "no answer" : result.message;
  throw new ReceiverError(
    `import of ${job.type} ${formatLabels(labels)} at ${new Date(receivedUnixMillis).toISOString()}: ${reason}`,
    { code: result?.code === "unavailable" ? "STORAGE_UNAVAILABLE" : "UNPROCESSABLE" },
  );
}

/** The profile at the begin of its step; what it measures is checked, since the series of the copy depends on it. */
function toPayload(profile: googleV1.Profile, { type, step }: StepJob): Uint8Array {
  const [, sampleType = "", sampleUnit = "", periodType = "", periodUnit = ""] = type.split(":");
  const text = (index: bigint | undefined): string => profile.stringTable[Number(index ?? 0n)] ?? "";
  const is = (value: { type: bigint; unit: bigint } | undefined): string =>
    `${text(value?.type)}:${text(value?.unit)}`;
  const wanted = `${sampleType}:${sampleUnit}`;
  if (profile.sampleType.length !== 1 || is(profile.sampleType[0]) !== wanted) {
    const got = profile.sampleType.map(is).join(", ");
    throw new ReceiverError(`import of ${type}: its profiles hold ${got || "nothing"}, expected ${wanted}`, {
      code: "UNPROCESSABLE",
    });
  }
  profile.timeNanos = BigInt(step.startUnixMillis) * NANOS_PER_MILLI;
  // A source may leave it out of a merge; the copy's profile type has it.
  if (is(profile.periodType) !== `${periodType}:${periodUnit}`) {
    const index = (value: string): bigint => BigInt(profile.stringTable.push(value) - 1);
    profile.periodType = {
      $typeName: "google.v1.ValueType",
      type: index(periodType),
      unit: index(periodUnit),
    };
  }
  return toBinary(googleV1.ProfileSchema, profile);
}

function hashStep({ type, labels, step }: StepJob): Uint8Array {
  const parts = [
    type,
    labels.map(({ name, value }) => [name, value]),
    step.startUnixMillis,
    step.endUnixMillis,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, PAYLOAD_HASH_BYTES);
}

/** Labels without those that a server adds when it answers. */
function ownLabels(labels: LabelSet): LabelSet {
  return sortLabels(labels.filter(({ name }) => name === PROFILE_NAME_LABEL || !name.startsWith("__")));
}

/**
 * A selector for each label set that selects its series and no other: a series with more labels would match as well, so
 * the labels that only others have must be absent.
 */
function selectEach(
  series: readonly LabelSet[],
): readonly { readonly labels: LabelSet; readonly selector: string }[] {
  const distinct = new Map(series.map((labels) => [JSON.stringify(labels), labels]));
  const names = new Set([...distinct.values()].flatMap((labels) => labels.map(({ name }) => name)));
  return [...distinct.values()].map((labels) => {
    const values = new Map(labels.map(({ name, value }) => [name, value]));
    // The profile type says the name already.
    const conditions = [...names]
      .filter((name) => name !== PROFILE_NAME_LABEL)
      .map((name) => ({ name, op: "=" as const, value: values.get(name) ?? "" }));
    return { labels, selector: formatSelector(conditions) };
  });
}

function stepsOf({ startUnixMillis, endUnixMillis }: HistoryRange, stepMs: number): readonly HistoryRange[] {
  const count = Math.ceil((endUnixMillis + 1 - startUnixMillis) / stepMs);
  return Array.from({ length: count }, (_, i) => {
    const start = startUnixMillis + i * stepMs;
    return { startUnixMillis: start, endUnixMillis: start + stepMs - 1 };
  });
}

/** Runs jobs, a few at once; the first failure ends it when those that run have ended. */
async function runAll(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    while (failure === undefined && next < jobs.length) {
      try {
        await jobs[next++]?.();
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, run));
  if (failure !== undefined) throw failure.error;
}
