const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const YEAR_MS = 365 * DAY_MS;

/** A duration as Go prints it: `48h0m0s`, `1m30.5s`, `250ms`. Pyroscope's messages state actual lengths this way. */
export function formatGoDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  if (durationMs < SECOND_MS) return `${durationMs}ms`;
  const seconds = `${(durationMs % MINUTE_MS) / SECOND_MS}s`;
  if (durationMs < MINUTE_MS) return seconds;
  const minutes = `${Math.floor(durationMs / MINUTE_MS) % 60}m${seconds}`;
  return durationMs < HOUR_MS ? minutes : `${Math.floor(durationMs / HOUR_MS)}h${minutes}`;
}

/** A duration as Prometheus prints it: `1d`, `1d12h`. Pyroscope's messages state limits this way. */
export function formatPrometheusDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  // Years and weeks stand alone: they are used only where nothing is left over.
  if (durationMs % YEAR_MS === 0) return `${durationMs / YEAR_MS}y`;
  if (durationMs % WEEK_MS === 0) return `${durationMs / WEEK_MS}w`;
  const units: readonly (readonly [string, number])[] = [
    ["d", DAY_MS],
    ["h", HOUR_MS],
    ["m", MINUTE_MS],
    ["s", SECOND_MS],
    ["ms", 1],
  ];
  let rest = durationMs;
  let text = "";
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
