import { ProtocolError } from "../errors.ts";

/** What a client of `/ingest` says about one sample type. Every field may be missing. */
export interface SampleTypeConfig {
  readonly units: string | undefined;
  /** The only field that has an effect: it takes part in choosing the profile name. */
  readonly displayName: string | undefined;
  readonly aggregation: string | undefined;
  readonly cumulative: boolean | undefined;
  readonly sampled: boolean | undefined;
}

/**
 * Parses the part `sample_type_config` of a multipart `/ingest`: a JSON object with an entry for each sample type,
 * `{"inuse_space":{"units":"bytes","display-name":"inuse_space","aggregation":"average"}}`. Fields that are not
 * known are ignored.
 *
 * @returns undefined for JSON `null`, which says nothing.
 * @throws {@link ProtocolError} `SAMPLE_TYPE_CONFIG_INVALID` for anything but such an object.
 *
 * Source: Pyroscope pkg/og/storage/tree/pprof.go.
 */
export function parseSampleTypeConfig(text: string): ReadonlyMap<string, SampleTypeConfig> | undefined {
  const config = parseJson(text);
  if (config === null) return undefined;
  if (!isRecord(config)) throw invalid("", config, "an object");
  return new Map(
    Object.entries(config).map(([sampleType, entry]) => [sampleType, readEntry(sampleType, entry)]),
  );
}

function readEntry(sampleType: string, entry: unknown): SampleTypeConfig {
  const fields = entry ?? {};
  if (!isRecord(fields)) throw invalid(sampleType, entry, "an object");
  const string = (field: string): string | undefined => {
    const value = fields[field] ?? undefined;
    if (value !== undefined && typeof value !== "string")
      throw invalid(`${sampleType}.${field}`, value, "a string");
    return value;
  };
  const boolean = (field: string): boolean | undefined => {
    const value = fields[field] ?? undefined;
    if (value !== undefined && typeof value !== "boolean") {
      throw invalid(`${sampleType}.${field}`, value, "true or false");
    }
    return value;
  };
  return {
    units: string("units"),
    displayName: string("display-name"),
    aggregation: string("aggregation"),
    cumulative: boolean("cumulative"),
    sampled: boolean("sampled"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "not JSON";
    throw new ProtocolError(`sample_type_config: ${reason}`, {
      code: "SAMPLE_TYPE_CONFIG_INVALID",
      cause: error,
    });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// How much of a wrong value an error repeats.
const MAX_SHOWN_LENGTH = 100;

function invalid(path: string, value: unknown, expected: string): ProtocolError {
  const place = path === "" ? "sample_type_config" : `sample_type_config ${path}`;
  const shown = JSON.stringify(value).slice(0, MAX_SHOWN_LENGTH);
  return new ProtocolError(`${place}=${shown}: expected ${expected}`, { code: "SAMPLE_TYPE_CONFIG_INVALID" });
}
