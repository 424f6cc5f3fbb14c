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
      const count = reader.arrayLength();
      const readConstant = this.#constantReader(reader, layout);
      for (let i = 0; i < count; i++) readConstant(reader.id());
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

  /** What reads the constants of a type, behind their ids. */
  #constantReader(reader: JfrReader, layout: TypeLayout): (id: ConstantId) => void {
    switch (layout.name) {
      case "jdk.types.StackTrace":
        return (id) => this.stacks.read(reader, layout, id);
      case "jdk.types.Method": {
        const record = new RecordReader(layout, ["type", "name"]);
        return (id) => {
          record.read(reader);
          this.#methods.set(id, { classId: record.id("type"), nameId: record.id("name") });
        };
      }
      case "java.lang.Class": {
        const record = new RecordReader(layout, ["name"]);
        return (id) => {
          record.read(reader);
          this.#classes.set(id, record.id("name"));
        };
      }
      case "jdk.types.Symbol":
        return this.#textReader(reader, layout, "string", this.#symbols);
      case "jdk.types.ThreadState":
        return this.#textReader(reader, layout, "name", this.threadStates);
      case "java.lang.String":
        return (id) => void this.strings.set(id, reader.string());
      default:
        return () => skipFields(reader, layout);
    }
  }

  #textReader(
    reader: JfrReader,
    layout: TypeLayout,
    field: string,
    into: Map<ConstantId, string>,
  ): (id: ConstantId) => void {
    const record = new RecordReader(layout, [field]);
    return (id) => {
      record.read(reader);
      into.set(id, record.text(field));
    };
  }
}
