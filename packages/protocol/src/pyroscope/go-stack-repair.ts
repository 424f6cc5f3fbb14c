import type { Profile, SampleTable } from "../profile/profile.ts";

/** Stacks are compared by this many locations at their root side. */
const KEY_LENGTH = 16;
/** How far from the root of another stack the root side of a cut one is looked for: what is copied at a time. */
const MAX_SHIFT = 8;
/** Stacks below this are neither repaired nor copied from. */
const MIN_DEPTH = KEY_LENGTH + MAX_SHIFT;
/** So many copies in a row are the same function that calls itself, again and again: where its root is nobody knows. */
const MAX_COPIES = 56;

/** Whoever makes up stacks that complete one another must not make a large profile of a small one. */
const MAX_ADDED_LOCATIONS = 1_000_000;

// Programs have a hundred or two ways from their roots into deep stacks. With more than this a profile was made to be slow:
// each costs as much as twenty of its samples.
const MAX_GROUPS = 4096;

/** Depths at which Go's profilers cut stacks; some stacks are cut a little earlier. */
const CPU_DEPTH = 64 - 4;
const HEAP_DEPTH = 32 - 4;
/** A heap profile with a deeper stack is one of Go 1.23 or newer, which cuts at 128. */
const HEAP_DEPTH_BEFORE_1_23 = 32;

const HEAP_TYPES: ReadonlySet<string> = new Set([
  "alloc_objects",
  "alloc_space",
  "inuse_objects",
  "inuse_space",
]);

/**
 * Gives stacks that Go's profilers cut at their limit the frames at the root that they lack, where another stack of the
 * profile shows them: one that has the 16 outermost frames of the cut stack, and up to eight more behind them. Several
 * stacks may complete one another. A stack that no other completes stays as it is.
 *
 * Source of the idea and of its numbers: Pyroscope pkg/pprof/fix_go_truncated.go.
 */
export function repairCutStacks(profile: Profile): Profile {
  const { samples } = profile;
  if (!mayBeCut(profile)) return profile;
  const missing = findMissing(samples);
  return missing.size === 0 ? profile : { ...profile, samples: appendLocations(samples, missing) };
}

function mayBeCut({ samples, sampleTypes }: Profile): boolean {
  let depth = 0;
  for (let row = 0; row < samples.length; row++) depth = Math.max(depth, depthOf(samples, row));
  if (sampleTypes.some(({ type }) => HEAP_TYPES.has(type))) {
    return depth >= HEAP_DEPTH && depth <= HEAP_DEPTH_BEFORE_1_23;
  }
  return depth >= CPU_DEPTH && sampleTypes.some(({ type }) => type === "cpu");
}

function depthOf({ locationStart }: SampleTable, row: number): number {
  return (locationStart[row + 1] ?? 0) - (locationStart[row] ?? 0);
}

/** What stands behind a key in some stack: `shift` locations up to its root. */
interface Continuation {
  readonly row: number;
  readonly shift: number;
}

/** The locations that stacks lack, by row of the sample; leaf first, as the stack. */
function findMissing(samples: SampleTable): ReadonlyMap<number, Uint32Array> {
  const groups = groupByRoot(samples);
  if (groups.length > MAX_GROUPS) return new Map();
  const continuations = findContinuations(samples, groups);
  const missing = new Map<number, Uint32Array>();
  let addedCount = 0;
  for (const rows of groups) {
    const found = followContinuations(samples, rows[0] ?? 0, continuations);
    if (found === undefined) continue;
    addedCount += found.length * rows.length;
    if (addedCount > MAX_ADDED_LOCATIONS) break;
    for (const row of rows) missing.set(row, found);
  }
  return missing;
}

/** Samples that are deep enough, those together whose stacks are equal at the root side. */
function groupByRoot(samples: SampleTable): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < samples.length; row++) {
    if (depthOf(samples, row) < MIN_DEPTH) continue;
    const key = keyOf(samples, row, 0, MIN_DEPTH);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** `length` locations of a stack, `shift` locations before its root, as a text to compare. */
function keyOf(
  { location, locationStart }: SampleTable,
  row: number,
  shift: number,
  length = KEY_LENGTH,
): string {
  const end = (locationStart[row + 1] ?? 0) - shift;
  return location.subarray(end - length, end).join();
}

/** What completes the first stack of each group, by its row. */
function findContinuations(
  samples: SampleTable,
  groups: readonly (readonly number[])[],
): ReadonlyMap<number, Continuation> {
  const byKey = new Map<string, Continuation>();
  for (const [row = 0] of groups) {
    for (let shift = 1; shift <= MAX_SHIFT; shift++) {
      const key = keyOf(samples, row, shift);
      if (shift > (byKey.get(key)?.shift ?? 0)) byKey.set(key, { row, shift });
    }
  }
  const continuations = new Map<number, Continuation>();
  for (const [row = 0] of groups) {
    const next = byKey.get(keyOf(samples, row, 0));
    if (next !== undefined) continuations.set(row, next);
  }
  return continuations;
}

function followContinuations(
  { location, locationStart }: SampleTable,
  row: number,
  continuations: ReadonlyMap<number, Continuation>,
): Uint32Array | undefined {
  const found: number[] = [];
  let next = continuations.get(row);
  for (let copies = 0; next !== undefined; copies++) {
    if (copies === MAX_COPIES) return undefined;
    const end = locationStart[next.row + 1] ?? 0;
    for (let at = end - next.shift; at < end; at++) found.push(location[at] ?? 0);
    next = continuations.get(next.row);
  }
  return found.length === 0 ? undefined : Uint32Array.from(found);
}

function appendLocations(samples: SampleTable, missing: ReadonlyMap<number, Uint32Array>): SampleTable {
  const added = [...missing.values()].reduce((sum, { length }) => sum + length, 0);
  const location = new Uint32Array(samples.location.length + added);
  const locationStart = new Uint32Array(samples.length + 1);
  let at = 0;
  for (let row = 0; row < samples.length; row++) {
    const own = samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]);
    location.set(own, at);
    at += own.length;
    const root = missing.get(row);
    if (root !== undefined) location.set(root, at);
    at += root?.length ?? 0;
    locationStart[row + 1] = at;
  }
  return { ...samples, location, locationStart };
}
