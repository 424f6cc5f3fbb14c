import { NO_FUNCTION, NO_MAPPING } from "@pyroscope-ts/protocol";
import { type HashedProfile, hasFunctionName, NO_LINE } from "./hash-profile.ts";
import type { RowBuffer } from "./row-buffer.ts";

/** Writes rows of the head's table `frames`. */
export class FrameRows {
  readonly #buffer: RowBuffer;

  constructor(buffer: RowBuffer) {
    this.#buffer = buffer;
  }

  /** Adds the frame of a location's line, or of the location itself where `line` is {@link NO_LINE}. */
  add(tenant: number, hashed: HashedProfile, location: number, line: number): void {
    const { profile } = hashed;
    const buffer = this.#buffer;
    const { row } = buffer;
    const fn = line === NO_LINE ? NO_FUNCTION : profile.lines.function[line]!;
    const ids = line === NO_LINE ? hashed.addressFrames : hashed.lineFrames;
    const id = line === NO_LINE ? location : line;
    buffer.fixed(0).lanes[row] = tenant;
    buffer.fixed(1).lanes[2 * row] = ids[2 * id]!;
    buffer.fixed(1).lanes[2 * row + 1] = ids[2 * id + 1]!;
    this.#setFunction(hashed, fn);
    buffer.fixed(6).int64[row] = line === NO_LINE ? 0n : profile.lines.line[line]!;
    const isInlined = line !== NO_LINE && line + 1 < profile.locations.lineStart[location + 1]!;
    buffer.fixed(7).bytes[row] = isInlined ? 1 : 0;
    this.#setMapping(hashed, location, fn);
    buffer.endRow();
  }

  #setFunction({ profile }: HashedProfile, fn: number): void {
    const { functions, strings } = profile;
    const buffer = this.#buffer;
    const isKnown = fn !== NO_FUNCTION;
    buffer.texts(2).push(isKnown ? strings[functions.name[fn]!]! : "");
    buffer.texts(3).push(isKnown ? strings[functions.systemName[fn]!]! : "");
    buffer.texts(4).push(isKnown ? strings[functions.file[fn]!]! : "");
    buffer.fixed(5).int64[buffer.row] = isKnown ? functions.startLine[fn]! : 0n;
  }

  #setMapping({ profile }: HashedProfile, location: number, fn: number): void {
    const { mappings, strings } = profile;
    const buffer = this.#buffer;
    const mapping = profile.locations.mapping[location]!;
    const isKnown = mapping !== NO_MAPPING;
    const isSymbolised = hasFunctionName(profile, fn);
    buffer.texts(8).push(isKnown ? strings[mappings.file[mapping]!]! : "");
    buffer.texts(9).push(isKnown && !isSymbolised ? strings[mappings.buildId[mapping]!]! : "");
    buffer.fixed(10).uint64[buffer.row] = isSymbolised ? 0n : profile.locations.address[location]!;
  }
}
