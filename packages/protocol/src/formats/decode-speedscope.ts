import type { LocationIndex, Profile, ValueType } from "../profile/profile.ts";
import { checkFormatLimit, DEFAULT_FORMAT_LIMITS, type FormatLimits } from "./format-limits.ts";
import { malformedFormat } from "./malformed-format.ts";
import {
  parseSpeedscopeFile,
  type SpeedscopeEvented,
  type SpeedscopeProfile,
  type SpeedscopeSampled,
  type SpeedscopeUnit,
  toNumber,
  toObject,
} from "./speedscope-file.ts";
import { StackCollector, type StackFrame } from "./stack-collector.ts";
import { resolveTextProfileType, type TextProfileType } from "./text-profile-type.ts";

const NANOS_OF_UNIT: ReadonlyMap<SpeedscopeUnit, number> = new Map([
  ["nanoseconds", 1],
  ["microseconds", 1e3],
  ["milliseconds", 1e6],
  ["seconds", 1e9],
]);

/** What the request says about a speedscope file. */
export interface SpeedscopeHeader {
  readonly appName: string;
  /** Of profiles that count samples (unit `none`); those in a unit of time say their time themselves. */
  readonly sampleRateHz: number;
  readonly timeUnixNanos?: bigint;
  readonly durationNanos?: bigint;
}

/** A profile of a speedscope file, and what its name says. */
export interface NamedProfile {
  /** Its name in the file; "" when it has none. */
  readonly name: string;
  readonly type: TextProfileType;
  readonly profile: Profile;
}

/**
 * Decodes a speedscope file.
 *
 * Profiles of equal name, type, unit and start are one, as threads of one program often are; of several that remain
 * each is of the type that its unit says (`shop.milliseconds`), in the order of their starts. Time is exact: each point
 * in time, or weight, is rounded to whole nanoseconds. Time without an open frame is no sample.
 *
 * @throws {@link ProtocolError} `FORMAT_MALFORMED` for bytes that are no such file, `FORMAT_LIMIT`,
 * `TEXT_PROFILE_TYPE_INVALID` for an application name whose last part is no type, `PROFILE_OVERFLOW`.
 *
 * Source: speedscope.app/file-format-schema.json, Pyroscope pkg/og/convert/speedscope.
 */
export function decodeSpeedscope(
  bytes: Uint8Array,
  header: SpeedscopeHeader,
  limits: FormatLimits = DEFAULT_FORMAT_LIMITS,
): readonly NamedProfile[] {
  const { frames, profiles } = parseSpeedscopeFile(bytes);
  const groups = [...groupProfiles(profiles, limits)].sort(
    ([left], [right]) => startOf(left) - startOf(right),
  );
  return groups.map((group) => decodeGroup(group, frames, header, { limits, isOnly: groups.length === 1 }));
}

function startOf(profile: SpeedscopeProfile | undefined): number {
  return profile?.startValue ?? 0;
}

function groupProfiles(
  profiles: readonly SpeedscopeProfile[],
  limits: FormatLimits,
): Iterable<readonly SpeedscopeProfile[]> {
  const groups = new Map<string, SpeedscopeProfile[]>();
  for (const profile of profiles) {
    const key = JSON.stringify([profile.name, profile.type, profile.unit, profile.startValue]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [profile]);
    else group.push(profile);
    checkFormatLimit(limits, "maxProfiles", groups.size);
  }
  return groups.values();
}

function decodeGroup(
  group: readonly SpeedscopeProfile[],
  frames: readonly StackFrame[],
  { appName, sampleRateHz, ...times }: SpeedscopeHeader,
  { limits, isOnly }: { readonly limits: FormatLimits; readonly isOnly: boolean },
): NamedProfile {
  const { name = "", unit = "none" } = group[0] ?? {};
  // A count has no type of its own to add: it stays what the application name says.
  const typedName = isOnly || unit === "none" ? appName : `${appName}.${unit}`;
  const type = resolveTextProfileType(typedName, unit === "bytes" ? 0 : resolveRate(unit, sampleRateHz));
  const { sampleType, periodType, period } = type;
  const stacks = new StackCollector({ sampleType, periodType, period, ...times }, limits);
  const toValue = valueConverter(unit, type.sampleType, type.scale);
  const locations: (LocationIndex | undefined)[] = [];
  const locationOf = (frame: unknown): LocationIndex => {
    const row = typeof frame === "number" ? frame : -1;
    const input = frames[row];
    if (input === undefined) {
      throw malformedFormat(`frame ${JSON.stringify(frame)}: expected a number below ${frames.length}`);
    }
    locations[row] ??= stacks.addFrame(input);
    return locations[row];
  };
  for (const profile of group) {
    if (profile.type === "evented") addEvents(profile, stacks, locationOf, toValue);
    else addSamples(profile, stacks, locationOf, toValue);
  }
  return { name, type, profile: stacks.build() };
}

/** Time has its unit; a rate would only make it a count. */
function resolveRate(unit: SpeedscopeUnit, sampleRateHz: number): number {
  return NANOS_OF_UNIT.has(unit) ? sampleRateHz || 100 : sampleRateHz;
}

type ToValue = (value: number, what: string) => bigint;

function valueConverter(unit: SpeedscopeUnit, sampleType: ValueType, scale: bigint): ToValue {
  const nanos = sampleType.unit === "nanoseconds" ? NANOS_OF_UNIT.get(unit) : undefined;
  const factor = nanos ?? Number(scale);
  return (value, what) => {
    const scaled = Math.round(value * factor);
    if (Number.isFinite(scaled)) return BigInt(scaled);
    throw malformedFormat(`${what} ${value} ${unit}: expected a number below 2^63`);
  };
}

function addEvents(
  { events, startValue, endValue }: SpeedscopeEvented,
  stacks: StackCollector,
  locationOf: (frame: unknown) => LocationIndex,
  toValue: ToValue,
): void {
  // The same frames twice: as the file numbers them, and as the profile does.
  const open: unknown[] = [];
  const stack: LocationIndex[] = [];
  let last = toValue(startValue, "startValue");
  const advance = (at: number, what: string): void => {
    const now = toValue(at, what);
    if (now < last) throw malformedFormat(`${what}: at ${at} lies before the one before it`);
    if (open.length > 0) stacks.addStack(stack, now - last);
    last = now;
  };
  for (const [i, value] of events.entries()) {
    const { type, frame, at } = toObject(value, `event ${i}`);
    advance(toNumber(at, `event ${i}: at`), `event ${i}`);
    if (type === "O") {
      open.push(frame);
      stack.push(locationOf(frame));
      continue;
    }
    const isLast = open.length > 0 && open.at(-1) === frame;
    open.pop();
    stack.pop();
    if (type !== "C" || !isLast) {
      throw malformedFormat(
        `event ${i} closes frame ${JSON.stringify(frame)}, which is not the last open one`,
      );
    }
  }
  if (open.length > 0) advance(endValue, "endValue");
}

function addSamples(
  { samples, weights }: SpeedscopeSampled,
  stacks: StackCollector,
  locationOf: (frame: unknown) => LocationIndex,
  toValue: ToValue,
): void {
  for (const [i, sample] of samples.entries()) {
    if (!Array.isArray(sample)) throw malformedFormat(`sample ${i}: expected an array of frames`);
    const value = toValue(toNumber(weights[i], `weight ${i}`), `weight ${i}`);
    if (sample.length > 0) stacks.addStack(sample.map(locationOf), value);
  }
}
