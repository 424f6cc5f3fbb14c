import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type ConnectCodeName, ReceiverError } from "../errors.ts";
import { toLate } from "../query/query-gate.ts";
import type { FailureLog } from "./failure-log.ts";
import { toGrpcError } from "./grpc-error.ts";
import { requestContextKey } from "./request-context.ts";
import { describeForClient, toReceiverError } from "./to-receiver-error.ts";
import { isGrpc } from "./trailers-only.ts";

const codes: { readonly [K in ConnectCodeName]: Code } = {
  canceled: Code.Canceled,
  unknown: Code.Unknown,
  invalid_argument: Code.InvalidArgument,
  deadline_exceeded: Code.DeadlineExceeded,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  out_of_range: Code.OutOfRange,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
  unavailable: Code.Unavailable,
  unauthenticated: Code.Unauthenticated,
};

/** An error as Connect, gRPC and gRPC-Web send it, with `Retry-After` where waiting helps. */
export function toConnectError(error: ReceiverError, requestId: string): ConnectError {
  const { retryAfterSeconds } = error;
  const metadata = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  return new ConnectError(
    describeForClient(error, requestId),
    codes[error.connectCode],
    metadata,
    undefined,
    error,
  );
}

/** Turns what services throw into Connect errors; defects are logged and lose their text. */
export function createErrorInterceptor(logFailure: FailureLog): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (thrown) {
      const { requestId } = request.contextValues.get(requestContextKey);
      const cause = isLate(thrown, request.signal) ? toLate(thrown) : thrown;
      const error = toAnsweredError(cause, { route: request.url, requestId }, logFailure);
      throw isGrpc(request.header.get("content-type")) ? toGrpcError(error) : error;
    }
  };
}

/** Whether a query was cancelled because the time was up that its client waits: `grpc-timeout`, `connect-timeout-ms`. */
function isLate(thrown: unknown, { reason }: AbortSignal): boolean {
  const isCancelled = thrown instanceof ReceiverError && thrown.code === "CANCELLED";
  return isCancelled && reason instanceof ConnectError && reason.code === Code.DeadlineExceeded;
}

/** What a service threw, as the error that answers the request. */
export function toAnsweredError(
  thrown: unknown,
  request: { readonly route: string; readonly requestId: string },
  logFailure: FailureLog,
): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const error = toReceiverError(thrown);
  if (error.httpStatus >= 500) logFailure(error, request);
  return toConnectError(error, request.requestId);
}
