/** Why a request got no answer. */
export type RequestErrorCode = "UNREACHABLE" | "UNAUTHORIZED" | "REJECTED" | "MALFORMED";

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
  const code: RequestErrorCode = response.status === 401 ? "UNAUTHORIZED" : "REJECTED";
  const status = `${response.status} ${response.statusText}`.trim();
  const text = await response.text().catch(() => "");
  return new RequestError(readMessage(text) ?? `the receiver answered ${status}`, { code });
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
