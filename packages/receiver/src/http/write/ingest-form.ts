import { ProtocolError, parseSampleTypeConfig, type SampleTypeConfig } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../../errors.ts";
import { type MultipartPart, parseMultipart } from "../body/multipart.ts";

/** The multipart form of a pprof. */
export interface IngestForm {
  /** Empty when the form has none. */
  readonly profile: Uint8Array;
  readonly sampleTypeConfig: ReadonlyMap<string, SampleTypeConfig> | undefined;
}

// Clients describe four sample types with half a kilobyte; JSON of megabytes would hold up the thread that speaks HTTP.
const MAX_CONFIG_BYTES = 64 * 1024;

/**
 * Reads the form that SDKs post to `/ingest`: the parts `profile` and `sample_type_config`.
 *
 * A plain field counts as well as a file. Pyroscope looks at files alone, and answers 200 to a plain field named
 * `profile` without storing it.
 *
 * @throws {@link ReceiverError} `UNPROCESSABLE` for a malformed form or config, and for a form of a client that wants
 * the server to subtract `prev_profile`.
 *
 * Source: Pyroscope pkg/og/convert/pprof/profile.go.
 */
export function readIngestForm(body: Uint8Array, boundary: string): IngestForm {
  const parts = parseMultipart(body, boundary);
  if (contentOf(parts, "prev_profile").length > 0) {
    throw new ReceiverError(
      "unsupported client version. Please update github.com/grafana/pyroscope-go to the latest version",
      { code: "UNPROCESSABLE" },
    );
  }
  return {
    profile: contentOf(parts, "profile"),
    sampleTypeConfig: readConfig(contentOf(parts, "sample_type_config")),
  };
}

function contentOf(parts: readonly MultipartPart[], name: string): Uint8Array {
  return parts.find((part) => part.name === name)?.content ?? new Uint8Array(0);
}

function readConfig(content: Uint8Array): ReadonlyMap<string, SampleTypeConfig> | undefined {
  if (content.length === 0) return undefined;
  if (content.length > MAX_CONFIG_BYTES) {
    const message = `sample_type_config has ${content.length} bytes, the limit is ${MAX_CONFIG_BYTES}`;
    throw new ReceiverError(message, { code: "UNPROCESSABLE" });
  }
  try {
    return parseSampleTypeConfig(Buffer.from(content).toString("utf8"));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ReceiverError(error.message, { code: "UNPROCESSABLE", cause: error });
  }
}
