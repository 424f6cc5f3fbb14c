/** Every code a {@link ProtocolError} can carry; each has a heading in `docs/errors.md`. */
export type ProtocolErrorCode =
  /** Bytes that are not the message they claim to be: bad wire type, over-long varint, length past the end. */
  | "WIRE_MALFORMED"
  /** A pprof that decodes but breaks a rule of profile.proto: unknown id, bad string index, value count. */
  | "PPROF_MALFORMED"
  /** A count or size limit was passed while decoding. */
  | "PPROF_LIMIT"
  /** A JFR recording that was cut off, or is none. */
  | "JFR_MALFORMED"
  /** A count limit was passed while decoding a recording. */
  | "JFR_LIMIT"
  /** A row number that points outside its table, or a parent that does not precede its child. */
  | "PROFILE_BAD_INDEX"
  /** A sum left the range of int64. */
  | "PROFILE_OVERFLOW"
  /** Two profiles that do not have the same sample types. */
  | "PROFILE_MISMATCH"
  /** Flamebearer JSON or tree bytes that do not describe a tree. */
  | "TREE_MALFORMED"
  /** A label set, label name or application name that breaks the grammar. */
  | "LABELS_INVALID"
  /** A label selector that does not parse, or a regular expression that RE2 refuses. */
  | "SELECTOR_INVALID"
  /** A profile type id that does not have five (or six) parts. */
  | "PROFILE_TYPE_INVALID"
  /** A query of `/render` without a profile type, or a step below 1 ms. */
  | "QUERY_INVALID"
  /** A `sample_type_config` that is not the JSON it should be. */
  | "SAMPLE_TYPE_CONFIG_INVALID"
  /** Folded text, lines, a trie, a tree or a speedscope file that is not what it claims to be. */
  | "FORMAT_MALFORMED"
  /** A count or size limit was passed while decoding one of these, or an OTLP profile. */
  | "FORMAT_LIMIT"
  /** An application name whose last part names no type of profile. */
  | "TEXT_PROFILE_TYPE_INVALID"
  /** An OTLP export that breaks a rule of its protocol, or has the layout of before 1.10. */
  | "OTLP_MALFORMED";

/** The limit that a `PPROF_LIMIT`, `JFR_LIMIT` or `FORMAT_LIMIT` error is about, for callers that word the refusal themselves. */
export interface LimitDetail {
  /** Name of the limit, as its option is called: `maxSamples`. */
  readonly name: string;
  /** What the input has, in the unit of the limit. */
  readonly actual: number;
  /** The largest value that would have been accepted. */
  readonly limit: number;
}

/** How a {@link ProtocolError} is made. */
export interface ProtocolErrorOptions {
  readonly code: ProtocolErrorCode;
  readonly cause?: unknown;
  readonly limit?: LimitDetail;
}

/** The one error class of this package: match {@link ProtocolError.code}, show `message`. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;
  /** Set when `code` is `PPROF_LIMIT`, `JFR_LIMIT` or `FORMAT_LIMIT`. */
  readonly limit: LimitDetail | undefined;

  constructor(message: string, options: ProtocolErrorOptions) {
    super(message, options);
    this.code = options.code;
    this.limit = options.limit;
  }
}
