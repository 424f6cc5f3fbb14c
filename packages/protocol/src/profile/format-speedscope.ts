import type { Tree } from "./tree.ts";

/** What {@link formatSpeedscope} says of the profile. */
export interface SpeedscopeOptions {
  /** Name of the profile. */
  readonly name: string;
  /** Unit of the tree's values, as pprof names it. */
  readonly unit: string;
}

const SCHEMA = "https://www.speedscope.app/file-format-schema.json";

/** Units that the format has a word for; anything else is `none`. */
const UNITS: ReadonlySet<string> = new Set([
  "nanoseconds",
  "microseconds",
  "milliseconds",
  "seconds",
  "bytes",
]);

/**
 * Writes a tree as a speedscope file with one profile: a sample for each node that has a self, its value as the weight.
 * A merge of many profiles has no order in time; samples stand in the order of the tree.
 *
 * Source: github.com/jlfwong/speedscope, file-format-spec.ts.
 *
 * @returns JSON text.
 */
export function formatSpeedscope(tree: Tree, { name, unit }: SpeedscopeOptions): string {
  const samples: number[][] = [];
  const weights: number[] = [];
  const path: number[] = [];
  for (let row = 0; row < tree.length; row++) {
    // The root is no frame: frames of the row at hand are those from level 1 on.
    const level = tree.level[row]!;
    path.length = Math.max(0, level - 1);
    if (level > 0) path.push(tree.name[row]!);
    const self = tree.self[row]!;
    if (self === 0) continue;
    samples.push([...path]);
    weights.push(self);
  }
  return JSON.stringify({
    $schema: SCHEMA,
    name,
    activeProfileIndex: 0,
    exporter: "pyroscope-ts",
    shared: { frames: tree.names.map((frame) => ({ name: frame })) },
    profiles: [
      {
        type: "sampled",
        name,
        unit: UNITS.has(unit) ? unit : "none",
        startValue: 0,
        endValue: tree.total[0] ?? 0,
        samples,
        weights,
      },
    ],
  });
}
