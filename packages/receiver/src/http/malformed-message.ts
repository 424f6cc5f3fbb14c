import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";

/** What connect-es puts before the decoder's words. */
const PARSE_PREFIX = "parse binary: ";

/**
 * Makes a request message that is not protobuf the fault of the client: `invalid_argument`, 400.
 *
 * connect-es answers `internal`, 500, and agents send again for ever what got a 500; Connect for Go, which Pyroscope
 * uses, answers 400. There is no option for it. But on each of the three protocols connect-es aborts the signal of
 * the request with the error before it writes the error down, and that is where its code can still be set right.
 *
 * For the option `requestGate` of a router, which sees every request before its body is read.
 */
export function blameMalformedMessage({ signal }: Pick<HandlerContext, "signal">): void {
  const onAbort = (): void => {
    const error: unknown = signal.reason;
    const isMalformed =
      error instanceof ConnectError &&
      error.code === Code.Internal &&
      error.rawMessage.startsWith(PARSE_PREFIX);
    if (isMalformed) Object.assign(error, { code: Code.InvalidArgument });
  };
  signal.addEventListener("abort", onAbort, { once: true });
}
