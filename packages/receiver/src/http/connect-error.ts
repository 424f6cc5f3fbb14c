import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { ConnectCodeName, ReceiverError } from "../errors.ts";
import type { FailureLog } from "./failure-log.ts";
import { requestContextKey } from "./request-context.ts";
import { describeForClient, toReceiverError } from "./to-receiver-error.ts";

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
      if (thrown instanceof ConnectError) throw thrown;
      const error = toReceiverError(thrown);
      const { requestId } = request.contextValues.get(requestContextKey);
      if (error.httpStatus >= 500) logFailure(error, { route: request.url, requestId });
      throw toConnectError(error, requestId);
    }
  };
}
