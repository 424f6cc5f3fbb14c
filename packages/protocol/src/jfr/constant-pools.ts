import { mergeGenerated } from "./generated-class.ts";
import type { ConstantId, JfrReader } from "./jfr-reader.ts";
import { RecordReader } from "./record-reader.ts";
import { StackConstants } from "./stack-constants.ts";
import { skipFields, type TypeLayout, type TypeLayouts } from "./type-layout.ts";

/** A method by the ids of what it is made of. */
interface MethodConstant {
  readonly classId: ConstantId;
  readonly nameId: ConstantId;
}

/** Reads a constant, behind its id. */
type ConstantReader = (reader: JfrReader, id: ConstantId) => void;

/**
 * What the events of one chunk name by id: stacks, methods, classes, symbols, thread states, strings. Constants of other
 * types are skipped.
 *
 * A chunk has any number of checkpoints, in any order, and what one names may stand in another: names are put together
 * when they are asked for, after all have been read.
 */
export class ConstantPools {
  readonly stacks: StackConstants = new StackConstants();
  readonly strings: Map<ConstantId, string> = new Map();
  readonly threadStates: Map<ConstantId, string> = new Map();
  readonly #symbols = new Map<ConstantId, string>();
  /** Symbol of each class's name. */
  readonly #classes = new Map<ConstantId, ConstantId>();
  readonly #methods = new Map<ConstantId, MethodConstant>();
  readonly #readers = new Map<TypeLayout, ConstantReader>();

  /**
   * Reads the event of a checkpoint; the reader stands behind its type.
   *
   * @throws {@link ProtocolError} `JFR_MALFORMED`.
   *
   * Source: JDK jdk.jfr.internal.consumer.ChunkParser.
   */
  readCheckpoint(reader: JfrReader, layouts: TypeLayouts): void {
    // Start, duration, distance to the checkpoint before; then one byte of flags.
    for (let i = 0; i < 3; i++) reader.integer();
    reader.byte();
    for (let left = reader.arrayLength(); left > 0; left--) {
      const layout = layouts.layoutOf(reader.uint("type of a constant pool"));
      let readConstant = this.#readers.get(layout);
      if (readConstant === undefined) {
        readConstant = this.#constantReader(layout);
        this.#readers.set(layout, readConstant);
      }
      for (let count = reader.arrayLength(); count > 0; count--) readConstant(reader, reader.id());
    }
  }

  /** `<package>/<Class>.<method>`, or undefined if the chunk does not say. */
  methodName(methodId: ConstantId): string | undefined {
    const method = this.#methods.get(methodId);
    if (method === undefined) return undefined;
    const className = this.#symbols.get(this.#classes.get(method.classId) ?? -1);
    const name = this.#symbols.get(method.nameId);
    return className === undefined || name === undefined ? undefined : `${mergeGenerated(className)}.${name}`;
  }

  /** What reads the constants of a type. */
  #constantReader(layout: TypeLayout): ConstantReader {
    switch (layout.name) {
      case "jdk.types.StackTrace":
        return (reader, id) => this.stacks.read(reader, layout, id);
      case "jdk.types.Method": {
        const record = new RecordReader(layout, ["type", "name"]);
        return (reader, id) => {
          record.read(reader);
          this.#methods.set(id, { classId: record.id("type"), nameId: record.id("name") });
        };
      }
      case "java.lang.Class": {
        const record = new RecordReader(layout, ["name"]);
        return (reader, id) => {
          record.read(reader);
          this.#classes.set(id, record.id("name"));
        };
      }
      case "jdk.types.Symbol":
        return this.#textReader(layout, "string", this.#symbols);
      case "jdk.types.ThreadState":
        return this.#textReader(layout, "name", this.threadStates);
      case "java.lang.String":
        return (reader, id) => void this.strings.set(id, reader.string());
      default:
        return (reader) => skipFields(reader, layout);
    }
  }

  #textReader(layout: TypeLayout, field: string, into: Map<ConstantId, string>): ConstantReader {
    const record = new RecordReader(layout, [field]);
    return (reader, id) => {
      record.read(reader);
      into.set(id, record.text(field));
    };
  }
}
