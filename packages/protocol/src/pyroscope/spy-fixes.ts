import type { Profile } from "../profile/profile.ts";
import { ProtobufReader, WIRE_LENGTH } from "../wire/protobuf-reader.ts";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";

const LOCATION_FIELD = 4;
const FUNCTION_FIELD = 5;
const ID_FIELD = 1;

/** Profilers of scripting languages, whose function names mean little without their file. */
const scriptingSpies: ReadonlySet<string> = new Set(["pyspy", "rbspy", "scripting"]);

/**
 * Whether functions of a profiler's profiles are named by {@link nameFunctionsByFile}.
 *
 * @param spyName - parameter `spyName` of `/ingest`.
 */
export function isScriptingSpy(spyName: string): boolean {
  return scriptingSpies.has(spyName);
}

/**
 * Names each function `<file> <function>`, as Pyroscope shows those of pyspy, rbspy and scripting. Functions of pyspy
 * in files with an absolute path keep their names. The input is left as it was.
 *
 * Source: Pyroscope pkg/og/convert/pprof/profile.go, `FixFunctionNamesForScriptingLanguages`.
 */
export function nameFunctionsByFile(profile: Profile, spyName: string): Profile {
  const { functions } = profile;
  const strings = [...profile.strings];
  const rows = new Map(strings.map((text, row) => [text, row]));
  const name = functions.name.map((nameRow, i) => {
    const file = strings[functions.file[i] ?? 0] ?? "";
    if (spyName === "pyspy" && file.startsWith("/")) return nameRow;
    const text = `${file} ${strings[nameRow] ?? ""}`;
    const known = rows.get(text);
    if (known !== undefined) return known;
    rows.set(text, strings.length);
    return strings.push(text) - 1;
  });
  return { ...profile, strings, functions: { ...functions, name } };
}

/** Replaces `-` in names of sample types, which old .NET clients send and a profile type cannot have, by `_`. */
export function underscoreSampleTypes(profile: Profile): Profile {
  const sampleTypes = profile.sampleTypes.map(({ type, unit }) => ({
    type: type.replaceAll("-", "_"),
    unit,
  }));
  return { ...profile, sampleTypes };
}

/**
 * Gives functions of a pprof the ids of its locations, row by row, when no function has an id and there are as many of
 * the one as of the other: old .NET clients left them out. Any other pprof is returned as it is.
 *
 * @param bytes - a pprof, decompressed.
 * @throws ProtocolError `WIRE_MALFORMED`.
 *
 * Source: Pyroscope pkg/og/convert/pprof/profile.go, `FixFunctionIDForBrokenDotnet`.
 */
export function restoreFunctionIds(bytes: Uint8Array): Uint8Array {
  const locationIds: bigint[] = [];
  let functionCount = 0;
  let isWithoutIds = true;
  forEachField(bytes, (field, content) => {
    if (field === LOCATION_FIELD) locationIds.push(readId(content));
    if (field !== FUNCTION_FIELD) return;
    functionCount++;
    isWithoutIds &&= readId(content) === 0n;
  });
  if (!isWithoutIds || functionCount === 0 || functionCount !== locationIds.length) return bytes;
  const writer = new ProtobufWriter(bytes.length + functionCount * 4);
  let row = 0;
  forEachField(bytes, (field, content, whole) => {
    if (field !== FUNCTION_FIELD || content === undefined) {
      writer.raw(whole);
      return;
    }
    const start = writer.begin(FUNCTION_FIELD);
    writer.raw(content);
    // Of a field that stands twice the last counts, so that an id of 0 may stay where it is.
    writer.int64Field(ID_FIELD, locationIds[row++] ?? 0n);
    writer.end(start);
  });
  return writer.finish();
}

/** Calls back for each field of a message; `content` is that of a text or message, `whole` is with its tag. */
function forEachField(
  bytes: Uint8Array,
  onField: (field: number, content: Uint8Array | undefined, whole: Uint8Array) => void,
): void {
  const reader = new ProtobufReader(bytes);
  while (reader.hasMore()) {
    const start = reader.position;
    const tag = reader.tag();
    let content: Uint8Array | undefined;
    if ((tag & 7) === WIRE_LENGTH) {
      const end = reader.end();
      content = bytes.subarray(reader.position, end);
      reader.position = end;
    } else {
      reader.skip(tag);
    }
    onField(tag >>> 3, content, bytes.subarray(start, reader.position));
  }
}

function readId(message: Uint8Array | undefined): bigint {
  let id = 0n;
  const reader = new ProtobufReader(message ?? new Uint8Array(0));
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (tag === ID_FIELD << 3) id = BigInt.asUintN(64, reader.int64());
    else reader.skip(tag);
  }
  return id;
}
