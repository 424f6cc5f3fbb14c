import { formatLabels, type LabelSet } from "@pyroscope-ts/protocol";
import type { IngestLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

const NANOS_PER_MILLI = 1_000_000n;

// 1971-01-01T00:00:00Z. Old SDKs wrote micro- or milliseconds into time_nanos, which lie in 1970.
const END_OF_1970_UNIX_NANOS = 31_536_000_000_000_000n;

// 2262-01-01T00:00:00Z: the last year that fits whole into int64 nanoseconds, and with it into every table.
const END_OF_TIME_UNIX_NANOS = 9_214_646_400_000_000_000n;

/** When a profile arrived, and what `/ingest` said about its time. */
export interface ArrivalTime {
  readonly receivedUnixMillis: number;
  /** Parameter `from` of `/ingest`; undefined on push. */
  readonly fromUnixNanos: bigint | undefined;
}

/**
 * Decides at which time a profile is stored.
 *
 * Its own time if it has one; on `/ingest` a time before 1971 gives way to `from`; what is left without a time
 * gets the time of its arrival.
 *
 * @returns nanoseconds since the epoch, above 0.
 * Source: Pyroscope pkg/og/convert/pprof/profile.go, pkg/validation/validate.go.
 */
export function resolveProfileTime(ownUnixNanos: bigint, arrival: ArrivalTime): bigint {
  const isUsable = arrival.fromUnixNanos === undefined || ownUnixNanos >= END_OF_1970_UNIX_NANOS;
  const timeUnixNanos = isUsable ? ownUnixNanos : (arrival.fromUnixNanos ?? 0n);
  return timeUnixNanos > 0n ? timeUnixNanos : BigInt(arrival.receivedUnixMillis) * NANOS_PER_MILLI;
}

/**
 * Refuses a profile that is too old or too new to be stored. Both edges of the window are inside.
 *
 * Only admission asks this, with the clock of the arrival; replay never does.
 */
export function checkIngestionWindow(
  timeUnixNanos: bigint,
  receivedUnixMillis: number,
  limits: Pick<IngestLimits, "rejectOlderThanMs" | "rejectNewerThanMs">,
  labels: LabelSet,
): Refusal | undefined {
  const { rejectOlderThanMs, rejectNewerThanMs } = limits;
  const oldest = rejectOlderThanMs === 0 ? undefined : receivedUnixMillis - rejectOlderThanMs;
  const newest = rejectNewerThanMs === 0 ? undefined : receivedUnixMillis + rejectNewerThanMs;
  const timeUnixMillis = Number(timeUnixNanos / NANOS_PER_MILLI);
  const isInside =
    timeUnixNanos < END_OF_TIME_UNIX_NANOS &&
    (oldest === undefined || timeUnixMillis >= oldest) &&
    (newest === undefined || timeUnixMillis <= newest);
  if (isInside) return undefined;
  // A window that is open to the future ends where time does, which is worth a word only to a profile from behind it.
  const end = Number(END_OF_TIME_UNIX_NANOS / NANOS_PER_MILLI);
  const last = newest ?? (timeUnixMillis >= end ? end : undefined);
  const edges = [
    ...(oldest === undefined ? [] : [`starts at ${formatTime(oldest)}`]),
    ...(last === undefined ? [] : [`ends at ${formatTime(last)}`]),
  ];
  return new Refusal(
    "not_in_ingestion_window",
    `profile with labels '${formatLabels(labels)}' is outside of ingestion window ` +
      `(profile timestamp: ${formatTime(timeUnixMillis)}, the ingestion window ${edges.join(" and ")})`,
  );
}

function formatTime(unixMillis: number): string {
  // `from` of /ingest can lie beyond what Date can print.
  const date = new Date(unixMillis);
  return Number.isNaN(date.getTime()) ? `${unixMillis} ms after 1970` : date.toISOString();
}
