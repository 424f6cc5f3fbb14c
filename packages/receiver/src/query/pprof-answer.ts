import {
  type LineInput,
  type LocationIndex,
  type MappingInput,
  type Profile,
  ProfileBuilder,
  type ProfileType,
} from "@pyroscope-ts/protocol";
import type { FrameRows } from "../store/select-stacks.ts";
import type { NumberedStacks } from "./flame-graph.ts";

/** What a merged pprof says of itself, and how it is cut. */
export interface PprofAnswerOptions {
  readonly profileType: ProfileType;
  /** End of the query; becomes the profile's time, as Pyroscope has it. */
  readonly endUnixMillis: number;
  /** Keep this many locations next to the leaf; 0: all. */
  readonly keepLocations: number;
  /** Leaf locations lose their line, so that all callees of one function are one. */
  readonly aggregateCallees: boolean;
}

// Bits of Mapping: the profile has functions, file names, line numbers and inlined frames already, so that
// `go tool pprof` does not look for the binary.
const SYMBOLIZED_FLAGS = 0b1111;

/**
 * Makes one profile of merged stacks: one sample type, a sample for each stack, and every frame with its function, file,
 * line, mapping and address.
 *
 * @throws `ProtocolError` PROFILE_OVERFLOW when stacks that become equal by cutting sum up beyond int64.
 */
export function buildPprof(stacks: NumberedStacks, rows: FrameRows, options: PprofAnswerOptions): Profile {
  const { profileType } = options;
  const hasPeriod = profileType.periodType !== "" || profileType.periodUnit !== "";
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: profileType.sampleType, unit: profileType.sampleUnit }],
    defaultSampleType: profileType.sampleType,
    periodType: hasPeriod ? { type: profileType.periodType, unit: profileType.periodUnit } : undefined,
    period: statedPeriod(profileType.name),
    timeUnixNanos: BigInt(options.endUnixMillis) * 1_000_000n,
  });
  const locations = new LocationMaker(builder, stacks, rows);
  for (let stack = 0; stack < stacks.value.length; stack++) {
    const path = stacks.frame.subarray(stacks.start[stack]!, stacks.start[stack + 1]!);
    builder.addSample(locations.leafFirst(path, options), [stacks.value[stack]!]);
  }
  return builder.build();
}

/** The period that Pyroscope states, whatever the profiles had: a merge of several periods has none of its own. */
function statedPeriod(profileName: string): bigint {
  if (profileName === "process_cpu") return 1_000_000_000n;
  return profileName === "memory" ? 524_288n : 1n;
}

type CutOptions = Pick<PprofAnswerOptions, "keepLocations" | "aggregateCallees">;

/** Makes locations of runs of frames: a frame, and the frames that are inlined into it. */
class LocationMaker {
  readonly #builder: ProfileBuilder;
  readonly #rows: FrameRows;
  /** Row of `rows` of each numbered frame, or -1 where its row is lost. */
  readonly #rowOfFrame: Int32Array;
  // Most runs are a single frame; a stack of thirty looks thirty of these up.
  readonly #known = new Map<number | string, LocationIndex>();

  constructor(builder: ProfileBuilder, stacks: NumberedStacks, rows: FrameRows) {
    this.#builder = builder;
    this.#rows = rows;
    const numbers = stacks.frames.add(rows.frame);
    this.#rowOfFrame = new Int32Array(stacks.frames.count).fill(-1);
    numbers.forEach((number, row) => {
      this.#rowOfFrame[number] = row;
    });
  }

  /** Locations of a path that is root first. */
  leafFirst(path: Uint32Array, { keepLocations, aggregateCallees }: CutOptions): readonly LocationIndex[] {
    const locations: LocationIndex[] = [];
    let until = path.length;
    while (until > 0 && (keepLocations === 0 || locations.length < keepLocations)) {
      let from = until - 1;
      while (from > 0 && this.#isInlined(path[from]!)) from -= 1;
      const isLeaf = locations.length === 0;
      locations.push(this.#location(path.subarray(from, until), aggregateCallees && isLeaf));
      until = from;
    }
    return locations;
  }

  #isInlined(frame: number): boolean {
    const row = this.#rowOfFrame[frame]!;
    return row >= 0 && this.#rows.inlined[row] === 1;
  }

  #location(run: Uint32Array, withoutLines: boolean): LocationIndex {
    const key =
      run.length === 1 && !withoutLines ? run[0]! : `${run.join(",")}${withoutLines ? " leaf" : ""}`;
    let location = this.#known.get(key);
    if (location === undefined) {
      location = this.#make(run, withoutLines);
      this.#known.set(key, location);
    }
    return location;
  }

  #make(run: Uint32Array, withoutLines: boolean): LocationIndex {
    const lines: LineInput[] = [];
    for (const frame of run) {
      const line = this.#line(this.#rowOfFrame[frame]!, withoutLines);
      // Innermost first on the wire, outermost first on a stack.
      if (line !== undefined) lines.unshift(line);
    }
    const row = this.#rowOfFrame[run[0]!]!;
    const mapping = row < 0 ? undefined : this.#mapping(row);
    return this.#builder.location({
      lines,
      address: row < 0 ? 0n : this.#rows.address[row]!,
      ...(mapping !== undefined && { mapping: this.#builder.mapping(mapping) }),
    });
  }

  #line(row: number, withoutLine: boolean): LineInput | undefined {
    if (row < 0) return undefined;
    const { function: names, systemName, file, startLine, line } = this.#rows;
    const isKnown = names[row] !== "" || file[row] !== "" || line[row] !== 0n;
    if (!isKnown) return undefined;
    return {
      function: this.#builder.function({
        name: names[row]!,
        systemName: systemName[row]!,
        file: file[row]!,
        startLine: startLine[row]!,
      }),
      line: withoutLine ? 0n : line[row]!,
    };
  }

  #mapping(row: number): MappingInput | undefined {
    const file = this.#rows.mapping[row]!;
    const buildId = this.#rows.buildId[row]!;
    if (file === "" && buildId === "") return undefined;
    const isSymbolized = this.#rows.function[row] !== "";
    return { file, buildId, flags: isSymbolized ? SYMBOLIZED_FLAGS : 0 };
  }
}
