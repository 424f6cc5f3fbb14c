import {
  isIngestLabelName,
  type LabelSet,
  labelSetFromRecord,
  mergeLabels,
  ProtocolError,
  parseAppName,
  parseTimeNanos,
  SERVICE_NAME_LABEL,
} from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { type IngestFormat, selectIngestFormat } from "./ingest-format.ts";

const NANOS_PER_MILLI = 1_000_000n;

/** What the URL and the content type of an `/ingest` request say. */
export interface IngestQuery {
  /** Labels of the series, all but `__name__`, which the profile decides. */
  readonly labels: LabelSet;
  readonly fromUnixNanos: bigint;
  readonly format: IngestFormat;
}

/**
 * Reads the parameters of `/ingest` that have an effect on a pprof: `name`, `from`, `spyName`, `format`. The others
 * (`until`, `sampleRate`, `units`, `aggregationType`) belong to formats that do not say these things themselves.
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
  return {
    labels: toSeriesLabels(get("name"), get("spyName")),
    fromUnixNanos: parseTimeNanos(get("from"), BigInt(nowUnixMillis) * NANOS_PER_MILLI),
    format: selectIngestFormat(get("format"), contentType),
  };
}

/** The service is the application's name unless a label says otherwise; labels of the server are not the client's to set. */
function toSeriesLabels(name: string, spyName: string): LabelSet {
  const { serviceName, labels } = parseName(name);
  const own = labelSetFromRecord({
    [SERVICE_NAME_LABEL]: serviceName,
    pyroscope_spy: spyName === "" ? "unknown" : spyName,
  });
  return mergeLabels(
    own,
    labels.filter((label) => isIngestLabelName(label.name)),
  );
}

function parseName(name: string): ReturnType<typeof parseAppName> {
  try {
    return parseAppName(name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ReceiverError(`name: ${error.message}`, { code: "INVALID_ARGUMENT", cause: error });
  }
}
