import {
  buildTree,
  decodeJfr,
  decodeSpeedscope,
  decodeStacks,
  type Profile,
  type ProfileType,
  ProtocolError,
  profileToStackList,
  resolveTextProfileType,
  type Tree,
} from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { decodePayload, refusePayload } from "../ingest/decode-payload.ts";
import { formatBytes } from "../ingest/format-bytes.ts";
import { toFormatLimits } from "../ingest/format-limits.ts";
import { inflatePayload } from "../ingest/inflate-payload.ts";
import type { IngestLimits } from "../ingest/limits.ts";
import { Refusal } from "../ingest/refusal.ts";

/** One kind of values in a file. */
interface FileProfile {
  /** Its sample type, or, where another has that, with the name of its profile; no two in a file are equal. */
  readonly type: string;
  readonly profileType: ProfileType;
  readonly toTree: () => Tree;
}

/** What a file holds: one profile at least. */
export type ProfileFile = readonly [FileProfile, ...FileProfile[]];

/** What a file without a name of its own for its profiles is taken for; the values are counts. */
const APP_NAME = "file";
// Of recordings, which do not say it: what the agent for Java samples at.
const SAMPLE_RATE_HZ = 100;
// Text has no control characters; every pprof has some among its first bytes.
const SNIFFED_BYTES = 4096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all but tab, line feed and carriage return.
const CONTROL_CHARACTERS = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

/**
 * Reads a profile file of any format that the server takes, gzip or plain: what it is, its first bytes tell.
 *
 * pprof, JFR, speedscope and folded text.
 *
 * @returns what it holds, in the order of the file.
 * @throws {@link ReceiverError} INVALID_ARGUMENT for a file that is none of these, or above a limit.
 */
export function readProfileFile(bytes: Uint8Array, limits: IngestLimits): ProfileFile {
  const inflated = orThrow(
    inflatePayload(
      bytes,
      limits.maxProfileSizeBytes,
      (limit) => `uncompressed profile payload size exceeds limit of ${formatBytes(limit)}`,
    ),
  );
  const [first, ...others] = nameApart(decodeFile(inflated, limits));
  if (first === undefined) throw invalid("no profiles found in the file");
  return [first, ...others];
}

/** A profile, and its name where sample types are not enough. */
interface NamedFileProfile extends FileProfile {
  readonly name: string;
}

function decodeFile(bytes: Uint8Array, limits: IngestLimits): readonly NamedFileProfile[] {
  try {
    const head = Buffer.from(bytes.subarray(0, SNIFFED_BYTES)).toString("latin1");
    if (head.startsWith("FLR\0")) return readRecording(bytes, limits);
    if (CONTROL_CHARACTERS.test(head))
      return fromProfile("", orThrow(decodePayload(bytes, limits, [])).profile);
    if (head.trimStart().startsWith("{")) return readSpeedscope(bytes, limits);
    const { sampleType } = resolveTextProfileType(APP_NAME, 0);
    return fromProfile("", decodeStacks("groups", bytes, { sampleType }, toFormatLimits(limits)));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw invalid(refusePayload(error, []).message);
  }
}

function readRecording(bytes: Uint8Array, limits: IngestLimits): readonly NamedFileProfile[] {
  const { profiles } = decodeJfr(bytes, {
    sampleRateHz: SAMPLE_RATE_HZ,
    startUnixNanos: 0n,
    endUnixNanos: 0n,
    limits: {
      maxSamples: limits.maxSamples || Infinity,
      maxLabelsPerSample: limits.maxLabelsPerSample || Infinity,
    },
  });
  return profiles.flatMap(({ name, profile }) => fromProfile(name, profile));
}

function readSpeedscope(bytes: Uint8Array, limits: IngestLimits): readonly NamedFileProfile[] {
  const header = { appName: APP_NAME, sampleRateHz: 0 };
  return decodeSpeedscope(bytes, header, toFormatLimits(limits)).flatMap(({ name, profile }) =>
    fromProfile(name, profile),
  );
}

/** Each sample type of a profile by itself. */
function fromProfile(name: string, profile: Profile): readonly NamedFileProfile[] {
  // A bar of a flame graph has no width below 0.
  if (profile.samples.values.some((value) => value < 0n)) {
    throw invalid("the profile has values below 0: it is the difference of two, compare those instead");
  }
  const { type: periodType = "", unit: periodUnit = "" } = profile.periodType ?? {};
  return profile.sampleTypes.map(({ type, unit }, index) => ({
    name,
    type,
    profileType: { id: "", name, sampleType: type, sampleUnit: unit, periodType, periodUnit },
    toTree: () => buildTree(profileToStackList(profile, index)),
  }));
}

/** Gives each a type that no other has: the sample type, with the profile's name behind it, with a number. */
function nameApart(profiles: readonly NamedFileProfile[]): readonly FileProfile[] {
  const taken = new Set<string>();
  return profiles.map(({ name, type, ...profile }) => {
    const named = name === "" ? type : `${type} (${name})`;
    let free = taken.has(type) ? named : type;
    for (let count = 2; taken.has(free); count++) free = `${named} ${count}`;
    taken.add(free);
    return { ...profile, type: free };
  });
}

function orThrow<Value>(value: Value | Refusal): Value {
  if (value instanceof Refusal) throw invalid(value.message);
  return value;
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
