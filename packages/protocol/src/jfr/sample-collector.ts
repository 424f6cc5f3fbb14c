import type { LocationIndex, Profile } from "../profile/profile.ts";
import { type LabelInput, ProfileBuilder } from "../profile/profile-builder.ts";
import { HIGH, Int64Column, LOW } from "../wire/column.ts";
import { WordTable } from "../wire/word-table.ts";
import type { ConstantPools } from "./constant-pools.ts";
import { checkJfrLimit, type JfrLimits } from "./jfr-limits.ts";
import type { LabelsSnapshot } from "./labels-snapshot.ts";
import { malformedJfr } from "./malformed-jfr.ts";
import { CORRELATION_FIELDS, type CorrelationField } from "./sample-events.ts";
import type { SampleFamily } from "./sample-families.ts";
import type { FrameRow } from "./stack-constants.ts";

/** One of the profiles of a recording. */
export interface JfrProfile {
  /** `__name__` of its series: `process_cpu`, `wall`, `memory`, `mutex`, `block`. */
  readonly name: string;
  readonly profile: Profile;
}

/** What all profiles of one recording have in common. */
export interface RecordingContext {
  readonly labels: LabelsSnapshot;
  readonly limits: JfrLimits;
  /** Time between two samples in time. */
  readonly periodNanos: bigint;
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
}

/** Words of a sample's key: row of the stack + 1, or 0 for none; then the halves of each {@link CORRELATION_FIELDS}. */
export const SAMPLE_KEY_WORDS: number = 1 + CORRELATION_FIELDS.length * 2;

const MAX_INT64 = 2n ** 63n - 1n;

/** The name of a frame that the recording does not name, and of the stack of an event without one. */
const UNKNOWN = "[unknown]";

/**
 * Sums the events of one family.
 *
 * Events name stacks by ids that hold within one chunk. They are summed by id first, so that a stack is only put
 * together once however many events it has.
 */
export class SampleCollector {
  readonly #family: SampleFamily;
  readonly #context: RecordingContext;
  readonly #builder: ProfileBuilder;
  #keys = new WordTable();
  #values = new Int64Column();
  readonly #lanes = new Int32Array(4);
  readonly #pair = new BigInt64Array(this.#lanes.buffer);
  #frameCount = 0;

  constructor(family: SampleFamily, context: RecordingContext) {
    this.#family = family;
    this.#context = context;
    this.#builder = new ProfileBuilder({
      sampleTypes: family.sampleTypes,
      periodType: family.periodType,
      period: family.isTime ? context.periodNanos : 0n,
      timeUnixNanos: context.startUnixNanos,
      durationNanos: context.durationNanos,
    });
  }

  /**
   * Adds an event.
   *
   * @param key - {@link SAMPLE_KEY_WORDS} words.
   * @param count - how often it happened; time families multiply by their period.
   * @param amount - what it measured; of no account in families of one sample type.
   * @throws {@link ProtocolError} `JFR_MALFORMED` for a value or a sum outside 0 to 2^63 - 1, `JFR_LIMIT`.
   */
  add(key: readonly number[], count: bigint, amount: bigint): void {
    this.#pair[0] = this.#checked(this.#family.isTime ? count * this.#context.periodNanos : count);
    this.#pair[1] = this.#checked(amount);
    const known = this.#keys.length;
    const row = this.#keys.intern(key);
    if (row === known) checkJfrLimit(this.#context.limits, "maxSamples", known + 1);
    const width = this.#family.sampleTypes.length;
    for (let i = 0; i < width; i++) {
      const lo = this.#lanes[i * 2 + LOW]!;
      const hi = this.#lanes[i * 2 + HIGH]!;
      if (row === known) this.#values.push(lo, hi);
      else if (!this.#values.add(row * width + i, lo, hi)) {
        throw malformedJfr(`values of ${this.#family.name} add up to more than int64 holds`);
      }
    }
  }

  #checked(value: bigint): bigint {
    if (value >= 0n && value <= MAX_INT64) return value;
    throw malformedJfr(`event of ${this.#family.name} has value ${value}: expected 0 to 2^63 - 1`);
  }

  /** Puts together the samples of a chunk, whose ids mean nothing afterwards. */
  endChunk(pools: ConstantPools): void {
    const words = this.#keys.words();
    const values = this.#values.finish();
    const width = this.#family.sampleTypes.length;
    const framesOf = (row: number): ArrayLike<FrameRow> => {
      const stack = words[row * SAMPLE_KEY_WORDS]! - 1;
      return stack === -1 ? [] : pools.stacks.framesOf(stack);
    };
    for (let row = 0; row < this.#keys.length; row++) this.#frameCount += framesOf(row).length;
    checkJfrLimit(this.#context.limits, "maxFrames", this.#frameCount);
    const locationOf = this.#locationReader(pools);
    for (let row = 0; row < this.#keys.length; row++) {
      const key = words.subarray(row * SAMPLE_KEY_WORDS, (row + 1) * SAMPLE_KEY_WORDS);
      const frames = framesOf(row);
      // An event without a stack counts all the same.
      const locations = frames.length === 0 ? [this.#location(UNKNOWN, 0)] : Array.from(frames, locationOf);
      this.#builder.addSample(
        locations,
        values.subarray(row * width, (row + 1) * width),
        labelsOfKey(key, this.#context.labels),
      );
    }
    this.#keys = new WordTable();
    this.#values = new Int64Column();
  }

  build(): JfrProfile {
    return { name: this.#family.name, profile: this.#builder.build() };
  }

  /** What gives the location of a frame of the chunk, each made once. */
  #locationReader(pools: ConstantPools): (frame: FrameRow) => LocationIndex {
    const frames = pools.stacks.frames();
    const locations = new Map<FrameRow, LocationIndex>();
    return (row) => {
      let location = locations.get(row);
      if (location === undefined) {
        const { methodId, line } = frames[row]!;
        location = this.#location(pools.methodName(methodId) ?? UNKNOWN, line);
        locations.set(row, location);
      }
      return location;
    };
  }

  #location(name: string, line: number): LocationIndex {
    return this.#builder.location({ lines: [{ function: this.#builder.function({ name }), line }] });
  }
}

/** Labels of the work that an event happened in. Ids are names for span and trace columns, not for series. */
function labelsOfKey(key: Uint32Array, snapshot: LabelsSnapshot): readonly LabelInput[] {
  const id = (field: CorrelationField): bigint => {
    const at = 1 + CORRELATION_FIELDS.indexOf(field) * 2;
    return BigInt.asUintN(64, (BigInt(key[at + 1]!) << 32n) | BigInt(key[at]!));
  };
  const labels: LabelInput[] = [...snapshot.labelsOf(BigInt.asIntN(64, id("contextId")))];
  const spanId = id("spanId");
  if (spanId !== 0n) labels.push({ key: "profile_id", text: hex(spanId) });
  const spanName = snapshot.textOf(BigInt.asIntN(64, id("spanName")));
  if (spanName !== "") labels.push({ key: "span_name", text: spanName });
  const traceId = hex(id("traceIdHi")) + hex(id("traceIdLo"));
  if (/[1-9a-f]/.test(traceId)) labels.push({ key: "trace_id", text: traceId });
  return labels;
}

function hex(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}
