import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

interface Answer {
  readonly status: string;
  readonly code: "unknown" | "invalid_argument";
  readonly message: string;
}

const BAD_REQUEST: Answer = {
  status: "400 Bad Request",
  code: "invalid_argument",
  message: "this is no request of HTTP/1.1",
};

/** By Node's code. A body that does not come is 408 with the code `unknown`, as on Pyroscope's /ingest. */
const answers: ReadonlyMap<string, Answer> = new Map([
  [
    "ERR_HTTP_REQUEST_TIMEOUT",
    { status: "408 Request Timeout", code: "unknown", message: "the request did not arrive in time" },
  ],
  [
    "HPE_INVALID_EOF_STATE",
    { status: "408 Request Timeout", code: "unknown", message: "the client broke off within the request" },
  ],
  [
    "HPE_HEADER_OVERFLOW",
    {
      status: "431 Request Header Fields Too Large",
      code: "invalid_argument",
      message: "the head of the request is too large",
    },
  ],
]);

/**
 * Answers a connection of HTTP/1.1 whose request cannot be read, in the form of every other error, and closes it. Node's
 * own answer has no body.
 *
 * @param responses - those that are not complete, of all connections.
 */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Duplex,
  responses: ReadonlySet<ServerResponse>,
): void {
  const isAnswered = [...responses].some((response) => response.socket === socket && response.headersSent);
  if (!socket.writable || isAnswered) {
    socket.destroy();
    return;
  }
  const { status, code, message } = answers.get(error.code ?? "") ?? BAD_REQUEST;
  const body = JSON.stringify({ code, message });
  const head = [
    `HTTP/1.1 ${status}`,
    "content-type: application/json",
    "x-content-type-options: nosniff",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
