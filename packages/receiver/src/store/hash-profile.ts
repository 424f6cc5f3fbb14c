import { Hasher64, type LabelSet, NO_FUNCTION, NO_MAPPING, type Profile } from "@pyroscope-ts/protocol";

// Different things with equal words get unrelated ids. Part of the storage format, as the order of the words below.
/** Seed of the hashes of strings. */
export const TEXT_SEED = 1;
const FUNCTION_SEED = 2;
const MAPPING_SEED = 3;
const FRAME_SEED = 4;
const STACK_SEED = 5;
const SERIES_SEED = 6;

/** Ids in two 32-bit lanes each: id `i` is `lanes[2 * i]` (low) and `lanes[2 * i + 1]` (high). */
type IdLanes = Int32Array;

/** The ids of everything in one pprof: hashes of content, equal wherever the content is. */
export interface HashedProfile {
  readonly profile: Profile;
  /** One for each line. */
  readonly lineFrames: IdLanes;
  /** One for each location; of use only where it has no line. */
  readonly addressFrames: IdLanes;
  /** One for each sample. */
  readonly stacks: IdLanes;
}

/** Id of a series: the hash of its labels in their order. */
export function hashLabels(labels: LabelSet): bigint {
  const hasher = new Hasher64().reset(SERIES_SEED);
  for (const { name, value } of labels) hasher.text(name).text(value);
  return BigInt.asUintN(64, hasher.finish().toBigInt());
}

/**
 * Names frames and stacks of profiles by what they are.
 *
 * A frame is (function name, system name, file, start line, line, inlined, mapping file); where there is no function
 * name also (build id, address). A symbolised frame leaves these two out, because they change with every build:
 * two releases of a program then share what did not change. A stack is its frames, root first.
 */
export class ProfileHasher {
  readonly #hasher = new Hasher64();

  /** @param stringHashes - those of {@link AdmittedProfile.stringHashes}. */
  hash(profile: Profile, stringHashes?: Int32Array): HashedProfile {
    const strings = stringHashes ?? hashStrings(profile.strings, this.#hasher);
    const parts: FrameParts = {
      profile,
      functions: hashFunctions(profile, strings, this.#hasher),
      mappings: hashMappings(profile, strings, this.#hasher),
      hasher: this.#hasher,
    };
    const lineFrames = hashLines(parts);
    const addressFrames = hashAddresses(parts);
    return {
      profile,
      lineFrames,
      addressFrames,
      stacks: hashStacks(profile, lineFrames, addressFrames, this.#hasher),
    };
  }
}

/** The `line` of a frame that is known by address only. */
export const NO_LINE = -1;

/** A frame's id, and the location and line that it comes from; the line is {@link NO_LINE} where there is none. */
export type FrameVisitor = (lo: number, hi: number, location: number, line: number) => void;

/** Visits the frames of sample `row`, root first. */
export function visitFrames(hashed: HashedProfile, row: number, visit: FrameVisitor): void {
  const { lineFrames, addressFrames } = hashed;
  const { samples, locations } = hashed.profile;
  for (let i = samples.locationStart[row + 1]! - 1; i >= samples.locationStart[row]!; i--) {
    const location = samples.location[i]!;
    const first = locations.lineStart[location]!;
    const end = locations.lineStart[location + 1]!;
    if (first === end)
      visit(addressFrames[2 * location]!, addressFrames[2 * location + 1]!, location, NO_LINE);
    for (let line = end - 1; line >= first; line--) {
      visit(lineFrames[2 * line]!, lineFrames[2 * line + 1]!, location, line);
    }
  }
}

function hashStrings(strings: readonly string[], hasher: Hasher64): IdLanes {
  const lanes = new Int32Array(2 * strings.length);
  for (const [row, text] of strings.entries()) store(lanes, row, hasher.reset(TEXT_SEED).text(text));
  return lanes;
}

/** One for each function, and a last one for no function. */
function hashFunctions(profile: Profile, texts: IdLanes, hasher: Hasher64): IdLanes {
  const { functions } = profile;
  const { length, name, systemName, file, startLine } = functions;
  const lanes = new Int32Array(2 * (length + 1));
  const starts = new Int32Array(startLine.buffer, startLine.byteOffset, 2 * length);
  for (let i = 0; i < length; i++) {
    addId(hasher.reset(FUNCTION_SEED), texts, name[i]!);
    addId(hasher, texts, systemName[i]!);
    addId(hasher, texts, file[i]!);
    store(lanes, i, addId(hasher, starts, i));
  }
  hasher.reset(FUNCTION_SEED);
  for (let k = 0; k < 3; k++) addId(hasher, texts, 0);
  store(lanes, length, hasher.u64(0, 0));
  return lanes;
}

function hashMappings(profile: Profile, texts: IdLanes, hasher: Hasher64): MappingHashes {
  const { mappings } = profile;
  const files = new Int32Array(2 * (mappings.length + 1));
  const builds = new Int32Array(2 * (mappings.length + 1));
  for (let i = 0; i <= mappings.length; i++) {
    const file = i < mappings.length ? mappings.file[i]! : 0;
    const buildId = i < mappings.length ? mappings.buildId[i]! : 0;
    store(files, i, addId(hasher.reset(MAPPING_SEED), texts, file));
    store(builds, i, addId(addId(hasher.reset(MAPPING_SEED), texts, file), texts, buildId));
  }
  return { files, builds };
}

/** One for each mapping and one for none: of its file, and of its file and build id. */
interface MappingHashes {
  readonly files: IdLanes;
  readonly builds: IdLanes;
}

/** Hashes of a profile's parts that frames are made of. */
interface FrameParts {
  readonly profile: Profile;
  readonly functions: IdLanes;
  readonly mappings: MappingHashes;
  readonly hasher: Hasher64;
}

/** One for each line. */
function hashLines({ profile, functions, mappings, hasher }: FrameParts): IdLanes {
  const { locations, lines } = profile;
  const frames = new Int32Array(2 * lines.length);
  const numbers = new Int32Array(lines.line.buffer, lines.line.byteOffset, 2 * lines.length);
  for (let location = 0; location < locations.length; location++) {
    const end = locations.lineStart[location + 1]!;
    for (let line = locations.lineStart[location]!; line < end; line++) {
      const fn = lines.function[line]!;
      addId(hasher.reset(FRAME_SEED), functions, fn === NO_FUNCTION ? profile.functions.length : fn);
      addId(hasher, numbers, line).u32(line + 1 < end ? 1 : 0);
      if (hasFunctionName(profile, fn)) addId(hasher, mappings.files, mappingRow(profile, location));
      else addAddress(hasher, mappings, profile, location);
      store(frames, line, hasher);
    }
  }
  return frames;
}

/** One for each location, filled in where it has no line. */
function hashAddresses({ profile, functions, mappings, hasher }: FrameParts): IdLanes {
  const { locations } = profile;
  const frames = new Int32Array(2 * locations.length);
  for (let location = 0; location < locations.length; location++) {
    if (locations.lineStart[location] !== locations.lineStart[location + 1]) continue;
    addId(hasher.reset(FRAME_SEED), functions, profile.functions.length).u64(0, 0).u32(0);
    addAddress(hasher, mappings, profile, location);
    store(frames, location, hasher);
  }
  return frames;
}

function mappingRow(profile: Profile, location: number): number {
  const mapping = profile.locations.mapping[location]!;
  return mapping === NO_MAPPING ? profile.mappings.length : mapping;
}

/** Whether the function has a name, so that build id and address are not part of the frame. */
export function hasFunctionName(profile: Profile, fn: number): boolean {
  return fn !== NO_FUNCTION && profile.strings[profile.functions.name[fn]!] !== "";
}

function addAddress(hasher: Hasher64, mappings: MappingHashes, profile: Profile, location: number): void {
  const { address } = profile.locations;
  const lanes = new Int32Array(address.buffer, address.byteOffset + 8 * location, 2);
  addId(addId(hasher, mappings.builds, mappingRow(profile, location)), lanes, 0);
}

/** One for each sample. */
function hashStacks(
  profile: Profile,
  lineFrames: IdLanes,
  addressFrames: IdLanes,
  hasher: Hasher64,
): IdLanes {
  const { locationStart, location, length } = profile.samples;
  const { starts, lanes } = framesOfLocations(profile, lineFrames, addressFrames);
  const stacks = new Int32Array(2 * length);
  for (let row = 0; row < length; row++) {
    hasher.reset(STACK_SEED);
    hasher.runsBackwards(lanes, starts, location, locationStart[row]!, locationStart[row + 1]!);
    store(stacks, row, hasher);
  }
  return stacks;
}

/** Frames of each location, the outermost first: location `i` has the ids `starts[i] .. starts[i + 1]`. */
function framesOfLocations(
  { locations, lines }: Profile,
  lineFrames: IdLanes,
  addressFrames: IdLanes,
): { readonly starts: Uint32Array; readonly lanes: IdLanes } {
  const { length, lineStart } = locations;
  const starts = new Uint32Array(length + 1);
  const lanes = new Int32Array(2 * (lines.length + length));
  let count = 0;
  for (let location = 0; location < length; location++) {
    const first = lineStart[location]!;
    const end = lineStart[location + 1]!;
    if (first === end) copyId(addressFrames, location, lanes, count++);
    for (let line = end - 1; line >= first; line--) copyId(lineFrames, line, lanes, count++);
    starts[location + 1] = count;
  }
  return { starts, lanes };
}

function copyId(from: IdLanes, fromRow: number, to: IdLanes, toRow: number): void {
  to[2 * toRow] = from[2 * fromRow]!;
  to[2 * toRow + 1] = from[2 * fromRow + 1]!;
}

function addId(hasher: Hasher64, lanes: IdLanes, row: number): Hasher64 {
  return hasher.u64(lanes[2 * row]!, lanes[2 * row + 1]!);
}

function store(lanes: IdLanes, row: number, hasher: Hasher64): void {
  hasher.finish();
  lanes[2 * row] = hasher.lo;
  lanes[2 * row + 1] = hasher.hi;
}
