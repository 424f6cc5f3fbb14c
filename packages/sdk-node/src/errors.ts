/** Every code an {@link SdkError} can carry; each has a heading in `docs/errors.md`. */
export type SdkErrorCode =
  /** An option or environment variable has a value that its setting does not accept. */
  | "CONFIG_INVALID"
  /** The native profiler cannot run here: other runtime, missing binding, unsupported platform. */
  | "NATIVE_UNAVAILABLE"
  /** A running profiler stopped giving profiles. */
  | "PROFILER_FAILED"
  /** A running process could not be profiled from outside; it goes on as before. */
  | "ATTACH_FAILED"
  /** The server answered and does not want the upload: it is not sent again. */
  | "EXPORT_REJECTED"
  /** The server did not answer, or asked to try later: the upload is sent again. */
  | "EXPORT_UNREACHABLE";

/** The one error class of this package. Reported through the logger; thrown by `start()` only with `strict: true`. */
export class SdkError extends Error {
  override readonly name = "SdkError";
  readonly code: SdkErrorCode;

  constructor(message: string, options: { readonly code: SdkErrorCode; readonly cause?: unknown }) {
    super(message, options);
    this.code = options.code;
  }
}

/** The message of whatever was thrown, with the messages of its causes (`fetch` hides the reason there). */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // Four levels: `fetch` nests two, an AggregateError of connection attempts adds one.
  for (let depth = 0; depth < 4 && current !== undefined; depth++) {
    const message = messageOf(current);
    // Messages that are thrown with a cause mostly end in what that says.
    if (!parts.some((part) => part.endsWith(message))) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection to a name with several addresses is an AggregateError with an empty message.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join(", ");
  // Node appends by which modules a missing one was required, each in a line.
  return error.message.replace(/\nRequire stack:.*$/s, "");
}
