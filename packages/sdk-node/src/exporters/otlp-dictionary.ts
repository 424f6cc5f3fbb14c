import type { Profile } from "@pyroscope-ts/protocol";
import type { MessageInitShape, otlpProfilesV1development } from "@pyroscope-ts/protocol/messages";
import { isIdLabel, SPAN_ID_LABEL, TRACE_ID_LABEL } from "../labels/label.ts";

type DictionaryInit = Exclude<
  MessageInitShape<typeof otlpProfilesV1development.ProfilesDictionarySchema>,
  { readonly $typeName: string }
>;

type Rows<K extends keyof DictionaryInit> = Extract<DictionaryInit[K], readonly unknown[]>[number];

/** The rows of a table of the dictionary, each different one once; row 0 means "none" in OTLP. */
class Table<T> {
  readonly rows: T[] = [];
  readonly #indexes = new Map<string, number>();

  constructor(none: T) {
    this.rows.push(none);
  }

  intern(key: string, create: () => T): number {
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.rows.push(create()) - 1;
      this.#indexes.set(key, index);
    }
    return index;
  }
}

/** What a sample of OTLP has beside its values. */
interface SampleReferences {
  readonly stackIndex: number;
  readonly attributeIndices: readonly number[];
  readonly linkIndex: number;
}

/** The tables that all profiles of an OTLP request share, while they grow. */
export class OtlpDictionaryBuilder {
  readonly #strings = new Table("");
  readonly #functions = new Table<Rows<"functionTable">>({});
  readonly #locations = new Table<Rows<"locationTable">>({});
  readonly #stacks = new Table<Rows<"stackTable">>({});
  readonly #attributes = new Table<Rows<"attributeTable">>({});
  readonly #links = new Table<Rows<"linkTable">>({});

  string(text: string): number {
    return text === "" ? 0 : this.#strings.intern(text, () => text);
  }

  /** Labels become attributes, and the ids of a span its link. */
  sample(profile: Profile, row: number): SampleReferences {
    const { samples, labels, strings } = profile;
    const attributeIndices: number[] = [];
    const ids = new Map<string, string>();
    for (let i = samples.labelStart[row] ?? 0; i < (samples.labelStart[row + 1] ?? 0); i++) {
      const key = strings[labels.key[i] ?? 0] ?? "";
      const text = strings[labels.text[i] ?? 0] ?? "";
      if (isIdLabel(key)) ids.set(key, text);
      else attributeIndices.push(this.#attribute(key, text));
    }
    return {
      stackIndex: this.#stack(profile, row),
      attributeIndices,
      linkIndex: this.#link(ids.get(TRACE_ID_LABEL) ?? "", ids.get(SPAN_ID_LABEL) ?? ""),
    };
  }

  build(): DictionaryInit {
    return {
      mappingTable: [{}],
      locationTable: this.#locations.rows,
      functionTable: this.#functions.rows,
      linkTable: this.#links.rows,
      stringTable: this.#strings.rows,
      attributeTable: this.#attributes.rows,
      stackTable: this.#stacks.rows,
    };
  }

  #attribute(key: string, text: string): number {
    return this.#attributes.intern(JSON.stringify([key, text]), () => ({
      keyStrindex: this.string(key),
      value: { value: { case: "stringValue", value: text } },
    }));
  }

  #link(traceId: string, spanId: string): number {
    if (traceId === "" && spanId === "") return 0;
    return this.#links.intern(`${traceId}|${spanId}`, () => ({
      traceId: Buffer.from(traceId, "hex"),
      spanId: Buffer.from(spanId, "hex"),
    }));
  }

  #stack(profile: Profile, row: number): number {
    const { samples } = profile;
    const locations = samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]);
    const locationIndices = Array.from(locations, (location) => this.#location(profile, location));
    if (locationIndices.length === 0) return 0;
    return this.#stacks.intern(locationIndices.join(), () => ({ locationIndices }));
  }

  #location(profile: Profile, row: number): number {
    const { locations, lines } = profile;
    const from = locations.lineStart[row] ?? 0;
    const rows = Array.from({ length: (locations.lineStart[row + 1] ?? 0) - from }, (_, i) => from + i);
    const initLines = rows.map((line) => ({
      functionIndex: this.#function(profile, lines.function[line] ?? 0),
      line: lines.line[line] ?? 0n,
    }));
    const key = initLines.map(({ functionIndex, line }) => `${functionIndex}:${line}`).join();
    return this.#locations.intern(key, () => ({ lines: initLines }));
  }

  #function({ functions, strings }: Profile, row: number): number {
    const text = (column: Uint32Array): string => strings[column[row] ?? 0] ?? "";
    const [name, systemName, file] = [text(functions.name), text(functions.systemName), text(functions.file)];
    const startLine = functions.startLine[row] ?? 0n;
    return this.#functions.intern(JSON.stringify([name, systemName, file, `${startLine}`]), () => ({
      nameStrindex: this.string(name),
      systemNameStrindex: this.string(systemName),
      filenameStrindex: this.string(file),
      startLine,
    }));
  }
}
