import type { Chunk } from "./chunk.ts";
import type { JfrReader } from "./jfr-reader.ts";
import { RecordReader } from "./record-reader.ts";
import {
  type JfrProfile,
  type RecordingContext,
  SAMPLE_KEY_WORDS,
  SampleCollector,
} from "./sample-collector.ts";
import {
  type AmountField,
  CORRELATION_FIELDS,
  SAMPLE_EVENTS,
  type SampleEvent,
  type SampleField,
  SETTING_EVENT,
} from "./sample-events.ts";
import { SAMPLE_FAMILIES, type SampleFamilyKey } from "./sample-families.ts";

const SAMPLE_FIELDS: readonly SampleField[] = [
  ...CORRELATION_FIELDS,
  "stackTrace",
  "state",
  "tlabSize",
  "allocationSize",
  "weight",
  "duration",
  "size",
  "samples",
];

type SampleRecord = RecordReader<SampleField>;

const NANOS_PER_SECOND = 1_000_000_000n;

/** Reads the events of a recording, chunk by chunk, into one profile for each family of events. */
export class RecordingReader {
  readonly #context: RecordingContext;
  readonly #collectors = new Map<SampleFamilyKey, SampleCollector>();
  readonly #key = new Array<number>(SAMPLE_KEY_WORDS).fill(0);
  #event = "";

  constructor(context: RecordingContext) {
    this.#context = context;
  }

  /** The setting `event`, or "" if no chunk has it. */
  get event(): string {
    return this.#event;
  }

  profiles(): readonly JfrProfile[] {
    return Array.from(this.#collectors.values(), (collector) => collector.build());
  }

  /** @throws {@link ProtocolError} `JFR_MALFORMED`, `JFR_LIMIT`, `PROFILE_OVERFLOW`. */
  readChunk(chunk: Chunk): void {
    // Settings decide what samples mean, and stand behind samples in some recordings.
    this.#readSettings(chunk);
    const readers = new Map<number, ((reader: JfrReader) => void) | undefined>();
    chunk.forEachEvent((typeId, reader) => {
      if (!readers.has(typeId)) readers.set(typeId, this.#sampleReader(chunk, typeId));
      readers.get(typeId)?.(reader);
    });
    for (const collector of this.#collectors.values()) collector.endChunk(chunk.pools);
  }

  #readSettings(chunk: Chunk): void {
    const records = new Map<number, RecordReader<"name" | "value"> | undefined>();
    chunk.forEachEvent((typeId, reader) => {
      if (!records.has(typeId)) {
        const isSetting = chunk.metadata.types.get(typeId)?.name === SETTING_EVENT;
        const record = isSetting && new RecordReader(chunk.layouts.layoutOf(typeId), ["name", "value"]);
        records.set(typeId, record || undefined);
      }
      const record = records.get(typeId);
      record?.read(reader, chunk.pools.strings);
      if (record?.text("name") === "event") this.#event = record.text("value");
    });
  }

  /** What reads the events of a type, or undefined if they are no samples. */
  #sampleReader(chunk: Chunk, typeId: number): ((reader: JfrReader) => void) | undefined {
    const event = SAMPLE_EVENTS.get(chunk.metadata.types.get(typeId)?.name ?? "");
    if (event === undefined) return undefined;
    const record: SampleRecord = new RecordReader(chunk.layouts.layoutOf(typeId), SAMPLE_FIELDS);
    return (reader) => {
      record.read(reader);
      this.#fillKey(chunk, record);
      this.#addSample(chunk, event, record);
    };
  }

  #fillKey(chunk: Chunk, record: SampleRecord): void {
    this.#key[0] = (chunk.pools.stacks.rowOf(record.id("stackTrace")) ?? -1) + 1;
    for (const [i, field] of CORRELATION_FIELDS.entries()) record.copyTo(this.#key, 1 + i * 2, field);
  }

  #addSample(chunk: Chunk, event: SampleEvent, record: SampleRecord): void {
    if (event.kind === "one") {
      const amount = event.amount === undefined ? 0n : toAmount(chunk, record, event.amount);
      this.#collector(event.family).add(this.#key, 1n, amount);
      return;
    }
    const state = chunk.pools.threadStates.get(record.id("state")) ?? "";
    const isWall = this.#event === "wall";
    if (event.kind === "execution") {
      if (state !== "STATE_SLEEPING") this.#collector("cpu").add(this.#key, 1n, 0n);
      if (isWall) this.#collector("wall").add(this.#key, 1n, 0n);
      return;
    }
    // One event stands for several samples of a thread that did not move in between.
    const count = record.int64("samples");
    this.#collector("wall").add(this.#key, count, 0n);
    if (isWall && state === "STATE_RUNNABLE") this.#collector("cpu").add(this.#key, count, 0n);
  }

  #collector(key: SampleFamilyKey): SampleCollector {
    let collector = this.#collectors.get(key);
    if (collector === undefined) {
      collector = new SampleCollector(SAMPLE_FAMILIES[key], this.#context);
      this.#collectors.set(key, collector);
    }
    return collector;
  }
}

function toAmount({ header }: Chunk, record: SampleRecord, field: AmountField): bigint {
  const amount = record.int64(field);
  return record.isTicks(field) ? (amount * NANOS_PER_SECOND) / header.ticksPerSecond : amount;
}
