/** Every code a {@link ReceiverError} can carry; each is a row of {@link errorTable} and a heading in `docs/errors.md`. */
export type ReceiverErrorCode =
  /** A flag, environment variable or combination of settings that cannot be used. */
  | "CONFIG_INVALID"
  /** The address cannot be listened on: port taken, address unknown, no permission. */
  | "LISTEN_FAILED"
  /** Another process holds the data directory. */
  | "STORAGE_LOCKED"
  /** A file on disk has a newer format than this version reads, or cannot be read at start. */
  | "STORAGE_FORMAT"
  /** Disk or bucket cannot be written or read now: full, failing, away, or the flush cannot keep up. Nothing was acknowledged. */
  | "STORAGE_UNAVAILABLE"
  /** The server starts, stops, or has more in flight than it may hold. */
  | "UNAVAILABLE"
  /** A request that breaks a rule of its protocol. */
  | "INVALID_ARGUMENT"
  /** A profile that was received whole and cannot be used (`/ingest` answers 422, Connect `invalid_argument`). */
  | "UNPROCESSABLE"
  /** No credential, or one that is not known. */
  | "UNAUTHENTICATED"
  /** A known credential that does not allow this. */
  | "PERMISSION_DENIED"
  /** A path or a thing that does not exist. */
  | "NOT_FOUND"
  /** A listed path with a method that it does not have. */
  | "METHOD_NOT_ALLOWED"
  /** A body in a format that the route does not take. */
  | "UNSUPPORTED_MEDIA_TYPE"
  /** A body above its limit. */
  | "BODY_TOO_LARGE"
  /** A body that did not arrive in time. */
  | "BODY_TIMEOUT"
  /** A newer value is stored already. */
  | "CONFLICT"
  /** A rate or a count limit of a tenant. */
  | "RESOURCE_EXHAUSTED"
  /** A sum left the range of int64. */
  | "OUT_OF_RANGE"
  /** A feature of the protocol that this server does not have. */
  | "UNIMPLEMENTED"
  /** The client went away, or asked to stop. */
  | "CANCELLED"
  /** A query took longer than it may. */
  | "DEADLINE_EXCEEDED"
  /** A defect of this program. Its text is never sent to a client. */
  | "INTERNAL";

/** The error codes of the Connect protocol that the receiver answers with. Source: connectrpc.com/docs/protocol#error-codes. */
export type ConnectCodeName =
  | "canceled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "unauthenticated";

/** How one error code looks on the wire. */
export interface ErrorRow {
  /** Status on REST routes. On Connect routes the protocol derives it from `connectCode`. */
  readonly httpStatus: number;
  readonly connectCode: ConnectCodeName;
}

/** One row for each code: the compiler rejects a missing one. */
export const errorTable: { readonly [K in ReceiverErrorCode]: ErrorRow } = {
  CONFIG_INVALID: { httpStatus: 500, connectCode: "internal" },
  LISTEN_FAILED: { httpStatus: 500, connectCode: "internal" },
  STORAGE_LOCKED: { httpStatus: 503, connectCode: "unavailable" },
  STORAGE_FORMAT: { httpStatus: 500, connectCode: "internal" },
  STORAGE_UNAVAILABLE: { httpStatus: 503, connectCode: "unavailable" },
  UNAVAILABLE: { httpStatus: 503, connectCode: "unavailable" },
  INVALID_ARGUMENT: { httpStatus: 400, connectCode: "invalid_argument" },
  UNPROCESSABLE: { httpStatus: 422, connectCode: "invalid_argument" },
  UNAUTHENTICATED: { httpStatus: 401, connectCode: "unauthenticated" },
  PERMISSION_DENIED: { httpStatus: 403, connectCode: "permission_denied" },
  NOT_FOUND: { httpStatus: 404, connectCode: "not_found" },
  METHOD_NOT_ALLOWED: { httpStatus: 405, connectCode: "unimplemented" },
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, connectCode: "invalid_argument" },
  BODY_TOO_LARGE: { httpStatus: 413, connectCode: "resource_exhausted" },
  BODY_TIMEOUT: { httpStatus: 408, connectCode: "deadline_exceeded" },
  CONFLICT: { httpStatus: 409, connectCode: "already_exists" },
  RESOURCE_EXHAUSTED: { httpStatus: 429, connectCode: "resource_exhausted" },
  OUT_OF_RANGE: { httpStatus: 400, connectCode: "out_of_range" },
  UNIMPLEMENTED: { httpStatus: 501, connectCode: "unimplemented" },
  // 499 is nginx's word for a client that left; Connect uses it too.
  CANCELLED: { httpStatus: 499, connectCode: "canceled" },
  DEADLINE_EXCEEDED: { httpStatus: 504, connectCode: "deadline_exceeded" },
  INTERNAL: { httpStatus: 500, connectCode: "internal" },
};

/** What a {@link ReceiverError} is made with. */
export interface ReceiverErrorOptions {
  readonly code: ReceiverErrorCode;
  readonly cause?: unknown;
  /** When it is worth trying again; sent as `Retry-After`. Unavailable codes default to {@link DEFAULT_RETRY_AFTER_SECONDS}. */
  readonly retryAfterSeconds?: number;
}

/** Long enough for a flush to free memory, short enough that an agent's own queue holds what it could not send. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** The one error class of this package: match {@link ReceiverError.code}, show `message`. */
export class ReceiverError extends Error {
  override readonly name = "ReceiverError";
  readonly code: ReceiverErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ReceiverErrorOptions) {
    super(message, options);
    this.code = options.code;
    this.retryAfterSeconds =
      options.retryAfterSeconds ??
      (errorTable[options.code].httpStatus === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined);
  }

  /** Status of this error on a REST route. */
  get httpStatus(): number {
    return errorTable[this.code].httpStatus;
  }

  /** Code of this error on a Connect route. */
  get connectCode(): ConnectCodeName {
    return errorTable[this.code].connectCode;
  }
}
