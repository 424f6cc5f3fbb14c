import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import { SdkError } from "../errors.ts";
import { PACKAGE_NAME, PACKAGE_VERSION } from "../version.ts";
import type { ExportResult } from "./exporter.ts";
import type { HttpAnswer, HttpClient } from "./http-client.ts";
import { adviceForStatus } from "./retry.ts";

/** What of the configuration decides the headers of an upload. */
export type HeaderConfig = Pick<
  SdkConfig,
  "authToken" | "basicAuthUser" | "basicAuthPassword" | "tenantId" | "httpHeaders"
>;

/** Headers of every upload, in lower case. Values were checked when the configuration was resolved. */
export function createHeaders(config: HeaderConfig): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { "user-agent": `${PACKAGE_NAME}/${PACKAGE_VERSION}` };
  if (config.tenantId !== undefined) headers["x-scope-orgid"] = config.tenantId;
  const authorization = formatAuthorization(config);
  if (authorization !== undefined) headers.authorization = authorization;
  for (const [name, value] of config.httpHeaders) headers[name] = value.reveal();
  return headers;
}

function formatAuthorization(config: HeaderConfig): string | undefined {
  if (config.authToken !== undefined) return `Bearer ${config.authToken.reveal()}`;
  if (config.basicAuthUser === undefined && config.basicAuthPassword === undefined) return undefined;
  const pair = `${config.basicAuthUser ?? ""}:${config.basicAuthPassword?.reveal() ?? ""}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** One HTTP request of an upload. */
export interface UploadRequest {
  readonly client: HttpClient;
  readonly clock: Clock;
  /** For messages: the base URL, which holds no credentials. */
  readonly serverAddress: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** What a success says of what it did not take, if anything. */
  readonly checkAnswer?: (body: Uint8Array) => SdkError | undefined;
}

/** Sends one request and turns what comes back into a result. Never rejects. */
export async function sendUpload(request: UploadRequest): Promise<ExportResult> {
  const { client, clock, serverAddress, path, headers, body, signal } = request;
  const outcome = await client.post(path, headers, body, signal);
  if (!outcome.ok) {
    const error = new SdkError(`upload to ${serverAddress}: ${outcome.reason}`, {
      code: "EXPORT_UNREACHABLE",
    });
    return { ok: false, error, retry: { kind: "patient", afterMs: undefined } };
  }
  const { answer } = outcome;
  if (answer.status >= 200 && answer.status < 300) {
    const error = request.checkAnswer?.(answer.body);
    return error === undefined
      ? { ok: true, order: answer.order }
      : { ok: false, error, retry: { kind: "never", afterMs: undefined } };
  }
  const retry = adviceForStatus(answer.status, answer.retryAfter, clock.nowUnixMs());
  const code = retry.kind === "never" ? "EXPORT_REJECTED" : "EXPORT_UNREACHABLE";
  const message = `upload to ${serverAddress}: ${describeAnswer(answer)}`;
  return { ok: false, error: new SdkError(message, { code }), retry };
}

// Enough for the sentence that says what is wrong with an upload.
const MAX_SHOWN_LENGTH = 300;

function describeAnswer({ status, body, location }: HttpAnswer): string {
  if (status >= 300 && status < 400) {
    return `status ${status} redirects to ${location ?? "nowhere"}, which is not followed: set serverAddress to it`;
  }
  const line = toLine(Buffer.from(body).toString());
  return line === "" ? `status ${status}` : `status ${status}: ${line}`;
}

/** A foreign text as a part of a log line: control characters have no place there. */
export function toLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, MAX_SHOWN_LENGTH);
}
