import { ProtocolError } from "../errors.ts";
import { HIGH, LOW, toLanes } from "../wire/column.ts";
import { NO_FUNCTION, type Profile } from "./profile.ts";
import type { StackList } from "./tree.ts";

/** Row of a {@link LineTable}. */
export type LineIndex = number;

/** Settings of {@link profileToStackList}. */
export interface ProfileToStackListOptions {
  /** Text of a frame; its function's name by default. Called once for each line that has a function. */
  readonly frameName?: (profile: Profile, line: LineIndex) => string;
}

/**
 * The stacks of a profile as frames, one for each sample.
 *
 * A location gives one frame for each of its lines, the function that was really called before what was inlined into
 * it. A location without lines, known by its address only, and a line without a function give no frame; their sample
 * counts in the frames that are left, or at the root.
 *
 * @param sampleType - which value of a sample counts, 0-based.
 * @throws {@link ProtocolError} `PROFILE_BAD_INDEX` for a sample type that the profile does not have.
 */
export function profileToStackList(
  profile: Profile,
  sampleType: number,
  options: ProfileToStackListOptions = {},
): StackList {
  const { samples } = profile;
  checkSampleType(profile, sampleType);
  const { names, name } = nameLines(profile, options.frameName ?? functionName);
  const frames = expandLocations(profile, name);
  const frameStart = new Uint32Array(samples.length + 1);
  for (let sample = 0; sample < samples.length; sample++) {
    let count = 0;
    for (let i = samples.locationStart[sample]!; i < samples.locationStart[sample + 1]!; i++) {
      const location = samples.location[i]!;
      count += frames.start[location + 1]! - frames.start[location]!;
    }
    frameStart[sample + 1] = frameStart[sample]! + count;
  }
  const frame = new Uint32Array(frameStart[samples.length]!);
  let at = 0;
  for (let sample = 0; sample < samples.length; sample++) {
    for (let i = samples.locationStart[sample + 1]! - 1; i >= samples.locationStart[sample]!; i--) {
      const location = samples.location[i]!;
      for (let j = frames.start[location]!; j < frames.start[location + 1]!; j++)
        frame[at++] = frames.name[j]!;
    }
  }
  return { length: samples.length, names, frameStart, frame, value: pickValues(profile, sampleType) };
}

/** Throws {@link ProtocolError} `PROFILE_BAD_INDEX` unless the profile has that sample type. */
export function checkSampleType(profile: Profile, sampleType: number): void {
  const count = profile.sampleTypes.length;
  if (Number.isInteger(sampleType) && sampleType >= 0 && sampleType < count) return;
  throw new ProtocolError(`picking sample type ${sampleType}: expected a row from 0 to ${count - 1}`, {
    code: "PROFILE_BAD_INDEX",
  });
}

const NO_NAME = 0xffff_ffff;

function functionName(profile: Profile, line: LineIndex): string {
  return profile.strings[profile.functions.name[profile.lines.function[line]!]!]!;
}

/** The row in `names` of each line, {@link NO_NAME} for a line without a function. */
function nameLines(
  profile: Profile,
  frameName: (profile: Profile, line: LineIndex) => string,
): { names: string[]; name: Uint32Array } {
  const { lines } = profile;
  const names: string[] = [];
  const rows = new Map<string, number>();
  const name = new Uint32Array(lines.length).fill(NO_NAME);
  for (let line = 0; line < lines.length; line++) {
    if (lines.function[line] === NO_FUNCTION) continue;
    const text = frameName(profile, line);
    let row = rows.get(text);
    if (row === undefined) {
      row = names.length;
      rows.set(text, row);
      names.push(text);
    }
    name[line] = row;
  }
  return { names, name };
}

/** Names of the frames of each location, root first; location `i` has the rows `start[i] .. start[i + 1]`. */
function expandLocations(
  { locations }: Profile,
  name: Uint32Array,
): { start: Uint32Array; name: Uint32Array } {
  const start = new Uint32Array(locations.length + 1);
  const expanded = new Uint32Array(name.length);
  let at = 0;
  for (let location = 0; location < locations.length; location++) {
    for (let line = locations.lineStart[location + 1]! - 1; line >= locations.lineStart[location]!; line--) {
      if (name[line] !== NO_NAME) expanded[at++] = name[line]!;
    }
    start[location + 1] = at;
  }
  return { start, name: expanded };
}

function pickValues({ samples, sampleTypes }: Profile, sampleType: number): Float64Array {
  const lanes = toLanes(samples.values);
  const value = new Float64Array(samples.length);
  for (let sample = 0; sample < samples.length; sample++) {
    const at = (sample * sampleTypes.length + sampleType) * 2;
    value[sample] = lanes[at + HIGH]! * 0x1_0000_0000 + (lanes[at + LOW]! >>> 0);
  }
  return value;
}
