const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** Units as Go and Prometheus write them, largest first. */
const UNITS: readonly (readonly [name: string, millis: number])[] = [
  ["y", 365 * DAY_MS],
  ["w", 7 * DAY_MS],
  ["d", DAY_MS],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", SECOND_MS],
  ["ms", 1],
];

/**
 * Reads a duration such as `30d`, `1h30m`, `1.5s` or `0`.
 *
 * @returns milliseconds, rounded, or undefined when the text is no duration or is above 2^53 ms.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[ywdhms]))+$/.test(text)) return undefined;
  let millis = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[ywdhms])/g)) {
    millis += Number(amount) * (UNITS.find(([name]) => name === unit)?.[1] ?? Number.NaN);
  }
  const rounded = Math.round(millis);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** Writes milliseconds so that {@link parseDuration} reads them back: `1h30m`. */
export function formatDuration(millis: number): string {
  if (millis === 0) return "0";
  let rest = millis;
  let text = "";
  for (const [name, unitMillis] of UNITS) {
    // A year is 365 days here and not everywhere: days leave no doubt.
    if (name === "y" || name === "w") continue;
    const amount = Math.floor(rest / unitMillis);
    if (amount > 0) text += `${amount}${name}`;
    rest -= amount * unitMillis;
  }
  return text;
}
