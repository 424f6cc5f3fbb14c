/** A step of a unit: values from `from` on are written as `value / divisor` with the suffix. */
interface ScaleRow {
  readonly from: number;
  readonly divisor: number;
  readonly suffix: string;
}

const KIBI = 1024;

// Largest first; what is smaller than the last is written in the last.
const scales: ReadonlyMap<string, readonly ScaleRow[]> = new Map([
  [
    "nanoseconds",
    [
      { from: 1e9, divisor: 1e9, suffix: "s" },
      { from: 1e6, divisor: 1e6, suffix: "ms" },
      { from: 1e3, divisor: 1e3, suffix: "us" },
      { from: 0, divisor: 1, suffix: "ns" },
    ],
  ],
  [
    "bytes",
    [
      { from: KIBI ** 3, divisor: KIBI ** 3, suffix: "GiB" },
      { from: KIBI ** 2, divisor: KIBI ** 2, suffix: "MiB" },
      { from: KIBI, divisor: KIBI, suffix: "KiB" },
      { from: 0, divisor: 1, suffix: "B" },
    ],
  ],
]);

const PLAIN: ScaleRow = { from: 0, divisor: 1, suffix: "" };

/** Writes a value for people, in a unit of its size: `1.5s` of 1,500,000,000 nanoseconds, `2KiB` of 2048 bytes, `7`. */
export function formatValue(value: number, unit: string): string {
  const scale = scales.get(unit)?.find(({ from }) => value >= from) ?? PLAIN;
  return `${Number((value / scale.divisor).toFixed(2))}${scale.suffix}`;
}
