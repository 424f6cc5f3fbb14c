import { measureJsonDepth } from "../wire/json-depth.ts";
import { UTF8_DECODER } from "../wire/text-codec.ts";
import { malformedFormat } from "./malformed-format.ts";
import type { StackFrame } from "./stack-collector.ts";

const SCHEMA = "https://www.speedscope.app/file-format-schema.json";

// A file has five levels; what other programs add to it may have some more.
const MAX_DEPTH = 200;

const units = ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"] as const;

/** What the values of a speedscope profile are. */
export type SpeedscopeUnit = (typeof units)[number];

/** A speedscope file, checked. */
export interface SpeedscopeFile {
  readonly frames: readonly StackFrame[];
  readonly profiles: readonly SpeedscopeProfile[];
}

/** One profile of a file. Frames are rows of the file's frames, checked when they are used. */
export type SpeedscopeProfile = SpeedscopeEvented | SpeedscopeSampled;

interface SpeedscopeHead {
  readonly name: string;
  readonly unit: SpeedscopeUnit;
  readonly startValue: number;
  readonly endValue: number;
}

/** Frames that open and close. */
export interface SpeedscopeEvented extends SpeedscopeHead {
  readonly type: "evented";
  readonly events: readonly unknown[];
}

/** Stacks, root first, and what each weighs. */
export interface SpeedscopeSampled extends SpeedscopeHead {
  readonly type: "sampled";
  readonly samples: readonly unknown[];
  readonly weights: readonly unknown[];
}

/** A JSON object; each field is checked where it is read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a speedscope file.
 *
 * @throws ProtocolError `FORMAT_MALFORMED`; the message names the field.
 *
 * Source: speedscope.app/file-format-schema.json.
 */
export function parseSpeedscopeFile(bytes: Uint8Array): SpeedscopeFile {
  const file = toObject(parseJson(bytes), "file");
  const { $schema } = file;
  if ($schema !== SCHEMA) throw malformedFormat(`Unknown schema: ${show($schema)}`);
  const shared = toObject(file.shared, "shared");
  return {
    frames: toArray(shared.frames, "shared.frames").map((frame, i) => readFrame(frame, `frame ${i}`)),
    profiles: toArray(file.profiles, "profiles").map((profile, i) => readProfile(profile, `profile ${i}`)),
  };
}

/** @throws ProtocolError `FORMAT_MALFORMED`. */
export function toObject(value: unknown, what: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw malformedFormat(`${what} is ${show(value)}: expected an object`);
}

/** @throws ProtocolError `FORMAT_MALFORMED`. */
export function toNumber(value: unknown, what: string): number {
  if (typeof value === "number") return value;
  throw malformedFormat(`${what} is ${show(value)}: expected a number`);
}

function toArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformedFormat(`${what} is ${show(value)}: expected an array`);
}

function parseJson(bytes: Uint8Array): unknown {
  if (measureJsonDepth(bytes, MAX_DEPTH) > MAX_DEPTH)
    throw malformedFormat(`speedscope file is nested deeper than ${MAX_DEPTH}`);
  try {
    return JSON.parse(UTF8_DECODER.decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw malformedFormat(`speedscope file is not JSON: ${reason}`, error);
  }
}

function readFrame(value: unknown, what: string): StackFrame {
  const { name, file, line } = toObject(value, what);
  if (typeof name !== "string") throw malformedFormat(`${what}: name is ${show(name)}: expected a text`);
  return {
    name,
    file: typeof file === "string" ? file : "",
    line: typeof line === "number" && Number.isSafeInteger(line) ? line : 0,
  };
}

function readProfile(value: unknown, what: string): SpeedscopeProfile {
  const profile = toObject(value, what);
  const { type, name } = profile;
  const head: SpeedscopeHead = {
    name: typeof name === "string" ? name : "",
    unit: readUnit(profile.unit, what),
    startValue: toNumber(profile.startValue ?? 0, `${what}: startValue`),
    endValue: toNumber(profile.endValue ?? 0, `${what}: endValue`),
  };
  if (type === "evented") {
    return { ...head, type, events: toArray(profile.events, `${what}: events`) };
  }
  if (type !== "sampled") {
    throw malformedFormat(`${what}: type is ${show(type)}: expected "evented" or "sampled"`);
  }
  const samples = toArray(profile.samples, `${what}: samples`);
  const weights = toArray(profile.weights, `${what}: weights`);
  if (samples.length !== weights.length) {
    throw malformedFormat(`${what}: ${samples.length} samples and ${weights.length} weights`);
  }
  return { ...head, type, samples, weights };
}

function readUnit(value: unknown, what: string): SpeedscopeUnit {
  const unit = units.find((known) => known === value);
  if (unit === undefined)
    throw malformedFormat(`${what}: unit is ${show(value)}: expected ${units.join(", ")}`);
  return unit;
}

function show(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return JSON.stringify(typeof value === "string" ? value.slice(0, 100) : value) ?? "missing";
}
