import type { IncomingMessage, ServerResponse } from "node:http";
import type { PullKind, PullResult } from "../pull-source.ts";
import { sdk } from "../thread-sdk.ts";
import { checkPullAccess } from "./pull-access.ts";

/** Options of the pull handlers. */
export interface PprofOptions {
  /**
   * Who asks must send it as `Authorization: Bearer …`. Without one, or with an empty one, only requests from this
   * machine that went through no proxy are answered.
   */
  readonly token?: string | undefined;
}

/** A listener of `node:http`, and a middleware of Express and Connect. */
export type PprofHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** Where a pull handler answers, below wherever it is mounted. */
export const PPROF_PREFIX = "/debug/pprof/";

// The names that Go programs have, with `wall` beside them.
const KINDS: ReadonlyMap<string, PullKind> = new Map([
  ["profile", "cpu"],
  ["wall", "wall"],
  ["heap", "heap"],
]);

const MIN_SECONDS = 1;
const MAX_SECONDS = 60;
// As in Go's net/http/pprof.
const DEFAULT_SECONDS = 30;

const STATUS = { off: 503, busy: 429, failed: 500 } as const;

/**
 * Answers `GET /debug/pprof/profile`, `/debug/pprof/wall` (both with `?seconds=`, from 1 to 60, 30 by default) and
 * `/debug/pprof/heap` with gzipped pprof, for `go tool pprof`, Alloy and the like. Anything else goes on to `next`, or is 404.
 *
 * One profile of each kind at a time: 429 meanwhile. Needs a run: 503 without; `start({ protocol: "none" })` pushes nothing.
 * What is pushed is neither stopped nor changed.
 *
 *     app.use(pprofHandler({ token }));
 */
export function pprofHandler(options: PprofOptions = {}): PprofHandler {
  return (request, response, next) => {
    const url = request.url ?? "";
    const path = url.replace(/[?#].*$/s, "");
    const name = path.startsWith(PPROF_PREFIX) ? path.slice(PPROF_PREFIX.length) : "";
    const kind = KINDS.get(name);
    if (kind !== undefined) void answer(request, response, kind, options);
    else if (next !== undefined) next();
    else sendText(response, 404, `${path}: expected ${PPROF_PREFIX}{${[...KINDS.keys()].join(",")}}`);
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  kind: PullKind,
  { token }: PprofOptions,
): Promise<void> {
  const access = checkPullAccess(request, token);
  if (!access.ok) {
    if (access.status === 401) response.setHeader("www-authenticate", "Bearer");
    sendText(response, access.status, access.message);
    return;
  }
  if (request.method !== "GET") {
    response.setHeader("allow", "GET");
    sendText(response, 405, `${request.method} of a profile: expected GET`);
    return;
  }
  const asked = readSeconds(request.url ?? "");
  if (Number.isNaN(asked)) {
    sendText(response, 400, `seconds: expected a number from ${MIN_SECONDS} to ${MAX_SECONDS}`);
    return;
  }
  const seconds = Math.min(Math.max(asked, MIN_SECONDS), MAX_SECONDS);
  if (kind !== "heap") {
    response.setHeader("x-pyroscope-seconds", String(seconds));
    if (seconds !== asked) {
      sdk.warnOnce(
        "pull-seconds",
        `a profile of ${asked} seconds was asked for: it has ${seconds}, the limits are ${MIN_SECONDS} and ${MAX_SECONDS}`,
      );
    }
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  sendResult(response, kind, await sdk.pulls.pull(kind, seconds * 1000, gone.signal));
}

/** NaN for what is no number. */
function readSeconds(url: string): number {
  const text = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? "").get("seconds");
  if (text === null || text === "") return DEFAULT_SECONDS;
  return Number(text);
}

function sendResult(response: ServerResponse, kind: PullKind, result: PullResult): void {
  if (!result.ok) {
    if (result.reason === "busy") response.setHeader("retry-after", "1");
    sendText(response, STATUS[result.reason], result.message);
    return;
  }
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${kind}.pb.gz"`,
    "content-length": result.pprof.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(result.pprof);
}

function sendText(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(`${message}\n`);
}
