const NANOS_PER: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
};

const TIME_STEPS: readonly (readonly [limit: number, divisor: number, suffix: string])[] = [
  [1e3, 1, "ns"],
  [1e6, 1e3, "µs"],
  [1e9, 1e6, "ms"],
  [120e9, 1e9, "s"],
  [7200e9, 60e9, "min"],
  [172_800e9, 3600e9, "h"],
  [Number.POSITIVE_INFINITY, 86_400e9, "d"],
];
const BYTE_SUFFIXES: readonly string[] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const COUNT_SUFFIXES: readonly string[] = ["", "k", "M", "G", "T", "P"];

/** Whether `unit` is a time, so that values can become nanoseconds. */
export function isTimeUnit(unit: string): boolean {
  return NANOS_PER[unit] !== undefined;
}

/** Nanoseconds of one `unit`; 1 when it is not a time. */
export function nanosPerUnit(unit: string): number {
  return NANOS_PER[unit] ?? 1;
}

/** Three significant digits, no exponent, no trailing zeros: 1234 → `1,234`, 1.2345 → `1.23`. */
function formatNumber(value: number): string {
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude < 1) return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function formatSteps(value: number, base: number, suffixes: readonly string[]): string {
  let scaled = value;
  let step = 0;
  while (Math.abs(scaled) >= base && step < suffixes.length - 1) {
    scaled /= base;
    step++;
  }
  return `${formatNumber(scaled)} ${suffixes[step] ?? ""}`.trim();
}

/** A value of a sample type with its unit: `1.84 s`, `12.3 MiB`, `5.1 k`. */
export function formatValue(value: number, unit: string): string {
  if (isTimeUnit(unit)) {
    const nanos = value * nanosPerUnit(unit);
    const step = TIME_STEPS.find(([limit]) => Math.abs(nanos) < limit);
    const [, divisor, suffix] = step ?? [0, 1, "ns"];
    return `${formatNumber(nanos / divisor)} ${suffix}`;
  }
  if (unit === "bytes") return formatSteps(value, 1024, BYTE_SUFFIXES);
  return formatSteps(value, 1000, COUNT_SUFFIXES);
}

/** A share, 0 to 1, in percent: `12.3 %`; what is there but tiny is never `0 %`. */
export function formatShare(ratio: number): string {
  const percent = ratio * 100;
  if (percent === 0) return "0 %";
  if (Math.abs(percent) < 0.01) return percent > 0 ? "< 0.01 %" : "> -0.01 %";
  return `${percent.toFixed(Math.abs(percent) >= 10 ? 1 : 2)} %`;
}

/** A difference of shares in points with its sign: `+12.3 pts`. */
export function formatPoints(ratio: number): string {
  const points = ratio * 100;
  const sign = points > 0 ? "+" : points < 0 ? "−" : "";
  const magnitude = Math.abs(points);
  if (magnitude !== 0 && magnitude < 0.01) return `${sign}<0.01 pts`;
  return `${sign}${magnitude.toFixed(magnitude >= 10 ? 1 : 2)} pts`;
}

/** `text` of a difference with its sign in front. */
export function formatSigned(delta: number, format: (magnitude: number) => string): string {
  const sign = delta > 0 ? "+" : delta < 0 ? "−" : "";
  return `${sign}${format(Math.abs(delta))}`;
}
