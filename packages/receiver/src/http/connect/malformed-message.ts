import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";

/** What connect-es puts before the decoder's words. */
const PARSE_PREFIX = "parse binary: ";
/** What it says at the option `readMaxBytes`; Connect for Go has no such option and says "max". */
const TOO_LARGE = /(?<=larger than configured )readMaxBytes/;

/**
 * Makes a request message that is not protobuf the fault of the client: `invalid_argument`, 400.
 *
 * connect-es answers `internal`, 500, and agents send again for ever what got a 500; Connect for Go, which Pyroscope
 * uses, answers 400. There is no option for it. But on each of the three protocols connect-es aborts the signal of
 * the request with the error before it writes the error down, and that is where its code can still be set right. So can
 * the words about a message that is too large.
 *
 * For the option `requestGate` of a router, which sees every request before its body is read.
 *
 * @param onUnread - told of a message that no handler sees, since it is not protobuf or too large.
 */
export function blameMalformedMessage(
  { signal }: Pick<HandlerContext, "signal">,
  onUnread: (code: "INVALID_ARGUMENT" | "BODY_TOO_LARGE", message: string) => void,
): void {
  const onAbort = (): void => {
    const error: unknown = signal.reason;
    if (!(error instanceof ConnectError)) return;
    const { code, rawMessage } = error;
    if (code === Code.Internal && rawMessage.startsWith(PARSE_PREFIX)) {
      Object.assign(error, { code: Code.InvalidArgument });
      onUnread("INVALID_ARGUMENT", rawMessage);
    } else if (code === Code.ResourceExhausted && TOO_LARGE.test(rawMessage)) {
      const text = rawMessage.replace(TOO_LARGE, "max");
      Object.assign(error, { rawMessage: text, message: `[resource_exhausted] ${text}` });
      onUnread("BODY_TOO_LARGE", text);
    }
  };
  signal.addEventListener("abort", onAbort, { once: true });
}
