import {
  type AppName,
  isIngestLabelName,
  type LabelSet,
  labelSetFromRecord,
  mergeLabels,
  ProtocolError,
  parseAppName,
  parseTimeNanos,
  SERVICE_NAME_LABEL,
} from "@pyroscope-ts/protocol";
import { ReceiverError } from "../../errors.ts";
import { type IngestFormat, selectIngestFormat } from "./ingest-format.ts";

const NANOS_PER_MILLI = 1_000_000n;

/** What the URL and the content type of an `/ingest` request say. */
export interface IngestQuery {
  /** Labels of the series of a pprof, all but `__name__`, which the profile decides. */
  readonly labels: LabelSet;
  /** The application, whose last part may say what values mean. */
  readonly appName: string;
  /** `labels` without the service that the application names. */
  readonly appLabels: LabelSet;
  readonly spyName: string;
  readonly sampleRateHz: number;
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
  readonly format: IngestFormat;
  /** The client said that it sends folded text; without it that is only what is left. */
  readonly isTextNamed: boolean;
}

/** Samples in a second where the client does not say it, or says nonsense. */
const DEFAULT_SAMPLE_RATE_HZ = 100;

/**
 * Reads the parameters of `/ingest` that have an effect: `name`, `from`, `until`, `spyName`, `sampleRate`, `format`; `units` and
 * `aggregationType` have none.
 *
 * @throws {@link ReceiverError} `INVALID_ARGUMENT` for a name that does not parse; text as Pyroscope has it.
 *
 * Source: Pyroscope pkg/ingester/pyroscope/ingest_handler.go.
 */
export function parseIngestQuery(
  query: Readonly<Record<string, string | readonly string[] | undefined>>,
  contentType: string,
  nowUnixMillis: number,
): IngestQuery {
  const get = (name: string): string => {
    const value = query[name];
    return (typeof value === "string" ? value : value?.[0]) ?? "";
  };
  const { serviceName, labels } = parseName(get("name"));
  const spyName = get("spyName") || "unknown";
  const kept = labels.filter((label) => isIngestLabelName(label.name));
  const appLabels = mergeLabels(labelSetFromRecord({ pyroscope_spy: spyName }), kept);
  const nowUnixNanos = BigInt(nowUnixMillis) * NANOS_PER_MILLI;
  return {
    // The service is the application's name unless a label says otherwise.
    labels: mergeLabels(labelSetFromRecord({ [SERVICE_NAME_LABEL]: serviceName }), appLabels),
    appName: serviceName,
    appLabels,
    spyName,
    sampleRateHz: parseSampleRate(get("sampleRate")),
    fromUnixNanos: parseTimeNanos(get("from"), nowUnixNanos),
    untilUnixNanos: parseTimeNanos(get("until"), nowUnixNanos),
    format: selectIngestFormat(get("format"), contentType),
    isTextNamed: ["groups", "folded", "collapsed"].includes(get("format")),
  };
}

function parseSampleRate(text: string): number {
  const isRate = /^\+?\d{1,9}$/.test(text);
  return isRate ? Number(text) : DEFAULT_SAMPLE_RATE_HZ;
}

function parseName(name: string): AppName {
  try {
    return parseAppName(name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ReceiverError(`name: ${error.message}`, { code: "INVALID_ARGUMENT", cause: error });
  }
}
