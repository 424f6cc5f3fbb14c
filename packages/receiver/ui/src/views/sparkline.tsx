import type { VNode } from "preact";

interface SparklineProps {
  readonly values: readonly (number | null)[];
  readonly label: string;
}

const WIDTH = 160;
const HEIGHT = 32;

/** Points of a filled line through `values`, in a box of `width` by `height`. */
export function toAreaPath(values: readonly (number | null)[], width: number, height: number): string {
  const highest = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
  if (values.length < 2 || highest === 0) return "";
  const toX = (index: number): string => ((index / (values.length - 1)) * width).toFixed(1);
  // What has not arrived yet is not drawn as zero.
  const lastIndex = values.findLastIndex((value) => value !== null);
  const points = values.slice(0, lastIndex + 1).map((value, index) => {
    const y = height - ((value ?? 0) / highest) * height;
    return `${toX(index)} ${y.toFixed(1)}`;
  });
  return `M0 ${height}L${points.join("L")}L${toX(lastIndex)} ${height}Z`;
}

/** A small area chart without axes. */
export function Sparkline({ values, label }: SparklineProps): VNode {
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <path d={toAreaPath(values, WIDTH, HEIGHT)} />
    </svg>
  );
}
