import { checkFormatLimit, type FormatLimits } from "../formats/format-limits.ts";
import type { FunctionIndex, LocationIndex, MappingIndex, Profile } from "../profile/profile.ts";
import type { LineInput, ProfileBuilder } from "../profile/profile-builder.ts";
import type { OtlpDictionary } from "./otlp-dictionary.ts";
import { readIntegers } from "./otlp-dictionary.ts";
import { lengthTag, type MessageRange, readMessage, readRange, readRepeated } from "./otlp-wire.ts";

const BUILD_ID_ATTRIBUTE = "process.executable.build_id.gnu";
const HAS_FUNCTIONS = 1;
const HAS_LINES = 4;

/** What a request has cost so far: its profiles, and the frames of the one that is read and of all of them. */
export interface FrameBudget {
  profileCount: number;
  profileFrames: number;
  requestFrames: number;
}

/** Brings what one profile names of a dictionary into the tables of a profile, each row once. */
export class OtlpSymbols {
  readonly #dictionary: OtlpDictionary;
  readonly #builder: ProfileBuilder;
  readonly #limits: FormatLimits;
  readonly #budget: FrameBudget;
  readonly #stacks = new Map<number, readonly LocationIndex[]>();
  readonly #locations = new Map<number, LocationIndex>();
  readonly #functions = new Map<number, FunctionIndex>();
  readonly #mappings = new Map<number, MappingIndex>();

  constructor(
    builder: ProfileBuilder,
    dictionary: OtlpDictionary,
    { limits, budget }: { readonly limits: FormatLimits; readonly budget: FrameBudget },
  ) {
    this.#builder = builder;
    this.#dictionary = dictionary;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Locations of a stack, leaf first. */
  stack(index: number): readonly LocationIndex[] {
    let locations = this.#stacks.get(index);
    if (locations === undefined) {
      locations = this.#readStack(this.#dictionary.row("stack", index));
      this.#stacks.set(index, locations);
    }
    // Each sample has its own row of every location of its stack.
    this.#spend(locations.length);
    return locations;
  }

  #readStack(range: MessageRange): readonly LocationIndex[] {
    const { reader } = this.#dictionary;
    const indices: number[] = [];
    readMessage(reader, range, (tag) =>
      readRepeated(reader, 1, tag, () => {
        this.#spend(1);
        indices.push(reader.uint32());
      }),
    );
    return indices.map((index) => remember(this.#locations, index, () => this.#addLocation(index)));
  }

  #addLocation(index: number): LocationIndex {
    const { reader } = this.#dictionary;
    const lines: LineInput[] = [];
    const [, mapping = 0n, address = 0n] = readIntegers(
      reader,
      this.#dictionary.row("location", index),
      2,
      (tag) => {
        if (tag !== lengthTag(3)) return false;
        this.#spend(1);
        lines.push(this.#readLine(readRange(reader)));
        return true;
      },
    );
    const mappingIndex = Number(mapping);
    return this.#builder.location({
      mapping: remember(this.#mappings, mappingIndex, () => this.#addMapping(mappingIndex)),
      address: BigInt.asUintN(64, address),
      lines,
    });
  }

  #readLine(range: MessageRange): LineInput {
    const [, index = 0n, line = 0n] = readIntegers(this.#dictionary.reader, range, 2);
    const functionIndex = Number(index);
    return {
      function: remember(this.#functions, functionIndex, () => this.#addFunction(functionIndex)),
      line,
    };
  }

  #addFunction(index: number): FunctionIndex {
    const range = this.#dictionary.row("function", index);
    const [, name = 0n, systemName = 0n, file = 0n, startLine = 0n] = readIntegers(
      this.#dictionary.reader,
      range,
      4,
    );
    return this.#builder.function({
      name: this.#dictionary.string(Number(name)),
      systemName: this.#dictionary.string(Number(systemName)),
      file: this.#dictionary.string(Number(file)),
      startLine,
    });
  }

  #addMapping(index: number): MappingIndex {
    const { reader } = this.#dictionary;
    let buildId = "";
    const [, start = 0n, limit = 0n, offset = 0n, file = 0n] = readIntegers(
      reader,
      this.#dictionary.row("mapping", index),
      4,
      (tag) =>
        readRepeated(reader, 5, tag, () => {
          const { key, text = "" } = this.#dictionary.attribute(reader.uint32());
          if (key === BUILD_ID_ATTRIBUTE) buildId ||= text;
        }),
    );
    return this.#builder.mapping({
      start: BigInt.asUintN(64, start),
      limit: BigInt.asUintN(64, limit),
      offset: BigInt.asUintN(64, offset),
      file: this.#dictionary.string(Number(file)),
      buildId,
    });
  }

  #spend(frameCount: number): void {
    this.#budget.profileFrames += frameCount;
    this.#budget.requestFrames += frameCount;
    checkFormatLimit(this.#limits, "maxFrames", this.#budget.profileFrames);
    checkFormatLimit(this.#limits, "maxRequestFrames", this.#budget.requestFrames);
  }
}

/**
 * Says of each mapping whether all of its locations have functions, and lines: OTLP has no field for it, and a viewer
 * that symbolizes needs to know.
 */
export function flagMappings(profile: Profile): Profile {
  const { locations, lines, mappings } = profile;
  const flags = new Uint8Array(mappings.length).fill(HAS_FUNCTIONS | HAS_LINES);
  for (let row = 0; row < locations.length; row++) {
    const mapping = locations.mapping[row] ?? 0;
    const start = locations.lineStart[row] ?? 0;
    const end = locations.lineStart[row + 1] ?? 0;
    let has = start < end ? HAS_FUNCTIONS | HAS_LINES : 0;
    for (let line = start; line < end; line++) if (lines.line[line] === 0n) has &= ~HAS_LINES;
    flags[mapping] = (flags[mapping] ?? 0) & has;
  }
  return { ...profile, mappings: { ...mappings, flags } };
}

function remember(rows: Map<number, number>, index: number, add: () => number): number {
  let row = rows.get(index);
  if (row === undefined) {
    row = add();
    rows.set(index, row);
  }
  return row;
}
