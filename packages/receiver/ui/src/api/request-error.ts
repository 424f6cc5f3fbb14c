/**
 * Why a request got no answer: nobody answered, the token is missing or not enough, the request is wrong (asking the
 * same again would fail again), the receiver cannot answer now, or its answer cannot be read.
 */
export type RequestErrorCode = "UNREACHABLE" | "UNAUTHORIZED" | "REJECTED" | "UNAVAILABLE" | "MALFORMED";

/** A request that the receiver refused or that never reached it; `message` is fit to be shown. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;

  constructor(message: string, options: { readonly code: RequestErrorCode; readonly cause?: unknown }) {
    super(message, options);
    this.code = options.code;
  }
}

// What the receiver says is shown as it is, but a proxy's error page is not.
const MAX_MESSAGE_LENGTH = 500;

/** The error of a response that is not a success: the receiver's own message, or the status. */
export async function toRequestError(response: Response): Promise<RequestError> {
  const code = chooseCode(response.status);
  const status = `${response.status} ${response.statusText}`.trim();
  const text = await response.text().catch(() => "");
  return new RequestError(readMessage(text) ?? `the receiver answered ${status}`, { code });
}

function chooseCode(status: number): RequestErrorCode {
  if (status === 401 || status === 403) return "UNAUTHORIZED";
  // Too slow and too many are the receiver's state, not the request's fault.
  return status >= 500 || status === 408 || status === 429 ? "UNAVAILABLE" : "REJECTED";
}

function readMessage(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null || !("message" in parsed)) return undefined;
    return String(parsed.message).slice(0, MAX_MESSAGE_LENGTH);
  } catch {
    return undefined;
  }
}
