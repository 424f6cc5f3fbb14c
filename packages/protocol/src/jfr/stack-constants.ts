import { Uint32Column } from "../wire/column.ts";
import { WordTable } from "../wire/word-table.ts";
import type { ConstantId, JfrReader } from "./jfr-reader.ts";
import { RecordReader } from "./record-reader.ts";
import { skipField, type TypeLayout } from "./type-layout.ts";

/** Row of a stack in {@link StackConstants}. */
type StackRow = number;

/** Row of a frame in {@link StackConstants}. */
export type FrameRow = number;

type FrameReader = RecordReader<"method" | "lineNumber">;

/** The stacks of one chunk, in columns: row `i` has the frames `starts[i] .. starts[i + 1]`, leaf first. */
export class StackConstants {
  readonly #rowOfId = new Map<ConstantId, StackRow>();
  readonly #starts = new Uint32Column();
  readonly #frames = new Uint32Column();
  /** Two words: row of the method, line. */
  readonly #frameTable = new WordTable();
  readonly #methodIds: ConstantId[] = [];
  readonly #rowOfMethod = new Map<ConstantId, number>();
  #frameReader: { readonly layout: TypeLayout; readonly record: FrameReader } | undefined;

  constructor() {
    this.#starts.push(0);
  }

  /** Reads a constant of `jdk.types.StackTrace`, behind its id. */
  read(reader: JfrReader, layout: TypeLayout, id: ConstantId): void {
    for (const field of layout.fields) {
      if (field.name === "frames" && field.isArray && field.struct !== undefined) {
        this.#readFrames(reader, this.#recordOf(field.struct));
      } else {
        skipField(reader, field);
      }
    }
    this.#rowOfId.set(id, this.#starts.length - 1);
    this.#starts.push(this.#frames.length);
  }

  /** The row of a stack, or undefined if the chunk does not have it. */
  rowOf(stackId: ConstantId): StackRow | undefined {
    return this.#rowOfId.get(stackId);
  }

  /** Rows of a stack's frames, leaf first. */
  framesOf(row: StackRow): ArrayLike<FrameRow> {
    return this.#frames.values.subarray(this.#starts.values[row]!, this.#starts.values[row + 1]!);
  }

  /** The different frames of all stacks, by row. */
  frames(): readonly { readonly methodId: ConstantId; readonly line: number }[] {
    const words = this.#frameTable.words();
    return Array.from({ length: this.#frameTable.length }, (_, row) => ({
      methodId: this.#methodIds[words[row * 2]!]!,
      line: words[row * 2 + 1]!,
    }));
  }

  #recordOf(layout: TypeLayout): FrameReader {
    if (this.#frameReader?.layout !== layout) {
      this.#frameReader = { layout, record: new RecordReader(layout, ["method", "lineNumber"]) };
    }
    return this.#frameReader.record;
  }

  #readFrames(reader: JfrReader, record: FrameReader): void {
    for (let left = reader.arrayLength(); left > 0; left--) {
      record.read(reader);
      // A method without lines has -1 in some programs and 0 in others.
      const line = record.int64("lineNumber");
      const isLine = line > 0n && line <= 0x7fff_ffffn;
      this.#frames.push(
        this.#frameTable.intern([this.#methodRow(record.id("method")), isLine ? Number(line) : 0]),
      );
    }
  }

  #methodRow(id: ConstantId): number {
    let row = this.#rowOfMethod.get(id);
    if (row === undefined) {
      row = this.#methodIds.length;
      this.#rowOfMethod.set(id, row);
      this.#methodIds.push(id);
    }
    return row;
  }
}
