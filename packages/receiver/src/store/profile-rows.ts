import { formatLabels, getLabel, type Profile } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { AdmittedProfile } from "./admission.ts";
import { type HashedProfile, hashLabels } from "./hash-profile.ts";

/** The rows that one admitted profile adds to the head, made before it goes into the log: nothing here can fail later. */
export interface ProfileRows {
  readonly admitted: AdmittedProfile;
  readonly hashed: HashedProfile;
  readonly series: bigint;
  readonly service: string;
  /** For each group of equal (stack, span, trace): the sample that stands for it. */
  readonly groups: SampleGroups;
  /** One for each sample type of the profile. */
  readonly types: readonly TypeRows[];
}

/** Samples of a profile, those that differ in nothing but their values put together. */
interface SampleGroups {
  readonly length: number;
  /** Row of `profile.samples` of the first sample of each group. */
  readonly sample: Uint32Array;
  /** Position of that sample among the admitted ones: where its span and trace ids are. */
  readonly position: Uint32Array;
}

/** Values of one profile type. */
export interface TypeRows {
  /** Profile type id. */
  readonly type: string;
  /** Groups whose value is not 0, in ascending order. */
  readonly group: Uint32Array;
  /** Their values. */
  readonly value: BigInt64Array;
  readonly total: bigint;
}

/**
 * Puts together the samples of a profile that have one stack, span and trace, and sums them by sample type.
 *
 * @throws {@link ReceiverError} OUT_OF_RANGE when a sum, or the total of a type, leaves int64; INVALID_ARGUMENT when
 * a label name stands twice, which a MAP cannot hold: every query over the series would fail.
 */
export function createProfileRows(admitted: AdmittedProfile, hashed: HashedProfile): ProfileRows {
  const { labels, profile } = admitted;
  if (new Set(labels.map(({ name }) => name)).size < labels.length) {
    throw new ReceiverError(`labels ${formatLabels(labels)}: a name stands twice`, {
      code: "INVALID_ARGUMENT",
    });
  }
  const { groups, groupOf } = groupSamples(admitted, hashed);
  return {
    admitted,
    hashed,
    series: hashLabels(labels),
    service: getLabel(labels, "service_name") ?? "",
    groups,
    types: profile.sampleTypes.map((_, index) => sumType(admitted, index, groups.length, groupOf)),
  };
}

/** How many rows of samples these are. */
export function countSampleRows(rows: ProfileRows): number {
  return rows.types.reduce((sum, type) => sum + type.group.length, 0);
}

function groupSamples(
  admitted: AdmittedProfile,
  hashed: HashedProfile,
): { readonly groups: SampleGroups; readonly groupOf: Uint32Array } {
  const { sampleRows } = admitted;
  const count = sampleRows?.length ?? admitted.profile.samples.length;
  const sample = new Uint32Array(count);
  const position = new Uint32Array(count);
  const groupOf = new Uint32Array(count);
  const equals = createEquality(admitted, hashed);
  const hash = createHash(admitted, hashed);
  // Open addressing, at most half full; slots hold group + 1.
  const mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1;
  const slots = SCRATCH.slots(mask + 1);
  let length = 0;
  for (let i = 0; i < count; i++) {
    const row = sampleRows === undefined ? i : sampleRows[i]!;
    let slot = hash(row, i) & mask;
    while (slots[slot] !== 0 && !equals(row, i, sample[slots[slot]! - 1]!, position[slots[slot]! - 1]!)) {
      slot = (slot + 1) & mask;
    }
    if (slots[slot] === 0) {
      sample[length] = row;
      position[length] = i;
      slots[slot] = ++length;
    }
    groupOf[i] = slots[slot]! - 1;
  }
  return {
    groups: { length, sample: sample.subarray(0, length), position: position.subarray(0, length) },
    groupOf,
  };
}

// Random, so that nobody can push span ids that all fall into one slot.
const HASH_SEED = (Math.random() * 0x1_0000_0000) | 0;

/**
 * A hash of a sample's stack, span and trace. Of the stack alone it would not do: thousands of spans can stand on one stack,
 * and each would be compared with all before it.
 */
function createHash(
  { spanIds, traceIds }: AdmittedProfile,
  { stacks }: HashedProfile,
): (row: number, position: number) => number {
  const spans = spanIds && new Int32Array(spanIds.buffer, spanIds.byteOffset, 2 * spanIds.length);
  const traces = traceIds && new Int32Array(traceIds.buffer, traceIds.byteOffset, 2 * traceIds.length);
  return (row, position) => {
    let hash = mix(stacks[2 * row]! ^ HASH_SEED, 0);
    if (spans !== undefined) hash = mix(hash ^ spans[2 * position]!, spans[2 * position + 1]!);
    if (traces !== undefined) {
      hash = mix(hash ^ traces[4 * position]!, traces[4 * position + 1]!);
      hash = mix(hash ^ traces[4 * position + 2]!, traces[4 * position + 3]!);
    }
    return hash;
  };
}

/** Constants of murmur3's finaliser: odd, so that the products keep every bit, and well mixed. */
function mix(left: number, right: number): number {
  const hash = Math.imul(left, 0x85ebca6b) ^ Math.imul(right, 0xc2b2ae35);
  return hash ^ (hash >>> 15);
}

type SampleEquality = (row: number, position: number, otherRow: number, otherPosition: number) => boolean;

function createEquality({ spanIds, traceIds }: AdmittedProfile, { stacks }: HashedProfile): SampleEquality {
  const spans = spanIds && new Int32Array(spanIds.buffer, spanIds.byteOffset, 2 * spanIds.length);
  const traces = traceIds && new Int32Array(traceIds.buffer, traceIds.byteOffset, 2 * traceIds.length);
  return (row, position, otherRow, otherPosition) =>
    isSameId(stacks, row, otherRow) &&
    (spans === undefined || isSameId(spans, position, otherPosition)) &&
    (traces === undefined ||
      (isSameId(traces, 2 * position, 2 * otherPosition) &&
        isSameId(traces, 2 * position + 1, 2 * otherPosition + 1)));
}

function isSameId(lanes: Int32Array, row: number, other: number): boolean {
  return lanes[2 * row] === lanes[2 * other] && lanes[2 * row + 1] === lanes[2 * other + 1];
}

const LANE = 2 ** 32;

/**
 * Sums the values of one sample type by group, without a BigInt per row: the halves of the int64s are summed as
 * float64, which is exact up to 2^21 samples; a profile has fewer.
 */
function sumType(
  admitted: AdmittedProfile,
  typeIndex: number,
  groupCount: number,
  groupOf: Uint32Array,
): TypeRows {
  const { profile, sampleRows } = admitted;
  const width = profile.sampleTypes.length;
  const { values } = profile.samples;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const { low, high } = SCRATCH.sums(groupCount + 1);
  for (let i = 0; i < groupOf.length; i++) {
    const at = 2 * ((sampleRows === undefined ? i : sampleRows[i]!) * width + typeIndex);
    const group = groupOf[i]!;
    low[group]! += halves[at]! >>> 0;
    high[group]! += halves[at + 1]!;
    low[groupCount]! += halves[at]! >>> 0;
    high[groupCount]! += halves[at + 1]!;
  }
  return joinHalves(low, high, groupCount, formatTypeOf(admitted.labels, profile, typeIndex));
}

/** Carries from the low to the high halves and makes int64s of them; behind the groups' sums stands the total. */
function joinHalves(low: Float64Array, high: Float64Array, groupCount: number, type: string): TypeRows {
  const group = new Uint32Array(groupCount);
  const value = new BigInt64Array(groupCount + 1);
  const lanes = new Int32Array(value.buffer);
  let length = 0;
  for (let i = 0; i <= groupCount; i++) {
    const carry = Math.floor(low[i]! / LANE);
    const top = high[i]! + carry;
    const bottom = low[i]! - carry * LANE;
    if (top < -0x80000000 || top > 0x7fffffff) {
      throw new ReceiverError(`sum of ${type} in one profile is about ${top * LANE}: int64 ends at 2^63`, {
        code: "OUT_OF_RANGE",
      });
    }
    lanes[2 * length] = bottom;
    lanes[2 * length + 1] = top;
    // A sum of 0 is overwritten by the next.
    if (i === groupCount || (bottom === 0 && top === 0)) continue;
    group[length++] = i;
  }
  return { type, group: group.subarray(0, length), value: value.subarray(0, length), total: value[length]! };
}

// A profile has 100 to 10,000 groups; a huge one gets memory of its own, so that this does not stay huge.
const MAX_KEPT_GROUPS = 65_536;

/** Memory that is of no use once rows are made, and is used again for the next profile. */
class SumScratch {
  #slots = new Uint32Array(0);
  #low = new Float64Array(0);
  #high = new Float64Array(0);

  /** Zeros, at least so many. */
  slots(length: number): Uint32Array {
    if (length > 4 * MAX_KEPT_GROUPS) return new Uint32Array(length);
    if (this.#slots.length < length) this.#slots = new Uint32Array(length);
    return this.#slots.fill(0, 0, length);
  }

  /** Two columns of zeros, at least so many. */
  sums(length: number): { readonly low: Float64Array; readonly high: Float64Array } {
    if (length > MAX_KEPT_GROUPS) return { low: new Float64Array(length), high: new Float64Array(length) };
    if (this.#low.length < length) {
      this.#low = new Float64Array(2 * length);
      this.#high = new Float64Array(2 * length);
    }
    return { low: this.#low.fill(0, 0, length), high: this.#high.fill(0, 0, length) };
  }
}

const SCRATCH = new SumScratch();

function formatTypeOf(labels: AdmittedProfile["labels"], profile: Profile, typeIndex: number): string {
  const name = getLabel(labels, "__name__") ?? "";
  const { type, unit } = profile.sampleTypes[typeIndex]!;
  return [name, type, unit, profile.periodType?.type ?? "", profile.periodType?.unit ?? ""].join(":");
}
