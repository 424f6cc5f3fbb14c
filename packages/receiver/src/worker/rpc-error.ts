import { ProtocolError, type ProtocolErrorCode } from "@pyroscope-ts/protocol";
import { errorTable, ReceiverError, type ReceiverErrorCode } from "../errors.ts";

/** An error as it crosses threads: `structuredClone` would keep neither its class nor its code. */
export interface RpcErrorMessage {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly stack: string | undefined;
}

/** What a thread sends when a method rejects. */
export function encodeRpcError(thrown: unknown): RpcErrorMessage {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const retryAfterSeconds = error instanceof ReceiverError ? error.retryAfterSeconds : undefined;
  return { name: error.name, message: error.message, code, retryAfterSeconds, stack: describeStack(error) };
}

/**
 * The error that the caller's promise rejects with: the same class and code when it is one of ours, otherwise
 * `INTERNAL` with the original (name, text and stack of the other thread) as its cause.
 */
export function decodeRpcError(message: RpcErrorMessage): Error {
  const { name, code, retryAfterSeconds } = message;
  if (name === "ReceiverError" && code !== undefined && code in errorTable) {
    const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    return withStack(
      new ReceiverError(message.message, { code: code as ReceiverErrorCode, ...options }),
      message,
    );
  }
  if (name === "ProtocolError" && code !== undefined) {
    return withStack(new ProtocolError(message.message, { code: code as ProtocolErrorCode }), message);
  }
  if (name === "AbortError") return new ReceiverError(message.message, { code: "CANCELLED" });
  const cause = withStack(Object.assign(new Error(message.message), { name, code }), message);
  return new ReceiverError(`in the storage thread: ${name}: ${message.message}`, { code: "INTERNAL", cause });
}

function withStack<E extends Error>(error: E, message: RpcErrorMessage): E {
  if (message.stack !== undefined) error.stack = message.stack;
  return error;
}

/** The stack with those of its causes: the log of the other thread is the only place where they are seen. */
function describeStack(error: Error): string | undefined {
  if (error.stack === undefined) return undefined;
  const cause = error.cause instanceof Error ? describeStack(error.cause) : undefined;
  return cause === undefined ? error.stack : `${error.stack}\ncaused by ${cause}`;
}
