import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { formatSelector, type LabelSet } from "@pyroscope-ts/protocol";
import { type googleV1, QuerierService } from "@pyroscope-ts/protocol/messages";
import type { Secret } from "../config/secret.ts";
import { ReceiverError } from "../errors.ts";

// A query over an hour of one series takes far less than a second; one that takes longer than this will not end.
const CALL_TIMEOUT_MS = 120_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;

/** Where history comes from, and as whom it is asked for. */
export interface HistorySourceOptions {
  /** Base URL of a Pyroscope server. */
  readonly url: string;
  /** Sent as `X-Scope-OrgID`. */
  readonly tenant?: string;
  /** Sent as a bearer, or with `user` as a password. */
  readonly token?: Secret;
  readonly user?: string;
  /** Told before a call is made again. */
  readonly onRetry?: (line: string) => void;
}

/** Whole milliseconds, both inclusive. */
export interface HistoryRange {
  readonly startUnixMillis: number;
  readonly endUnixMillis: number;
}

/** The history of a Pyroscope server, by its public API. */
export interface HistorySource {
  /** Ids of the profile types of a range. */
  profileTypes(range: HistoryRange): Promise<readonly string[]>;
  /** Label sets of the series of a type. */
  series(range: HistoryRange, profileType: string): Promise<readonly LabelSet[]>;
  /** The sum of the profiles that a selector selects; undefined if there is none. */
  merge(range: HistoryRange, profileType: string, selector: string): Promise<googleV1.Profile | undefined>;
}

/** Opens a server as a source. Calls that fail for a reason that passes are made again, five times in all. */
export function openHistorySource(options: HistorySourceOptions): HistorySource {
  const transport = createConnectTransport({
    baseUrl: options.url.replace(/\/+$/, ""),
    httpVersion: "1.1",
    interceptors: [createCredentials(options)],
    defaultTimeoutMs: CALL_TIMEOUT_MS,
  });
  const querier = createClient(QuerierService, transport);
  const toMessage = ({ startUnixMillis, endUnixMillis }: HistoryRange): { start: bigint; end: bigint } => ({
    start: BigInt(startUnixMillis),
    end: BigInt(endUnixMillis),
  });
  return {
    async profileTypes(range) {
      const answer = await retry(options, "ProfileTypes", () => querier.profileTypes(toMessage(range)));
      return answer.profileTypes.map(({ ID }) => ID);
    },
    async series(range, profileType) {
      const matchers = [formatSelector([{ name: "__profile_type__", op: "=", value: profileType }])];
      const request = { ...toMessage(range), matchers };
      const { labelsSet } = await retry(options, "Series", () => querier.series(request));
      return labelsSet.map(({ labels }) => labels.map(({ name, value }) => ({ name, value })));
    },
    async merge(range, profileType, labelSelector) {
      const request = { ...toMessage(range), profileTypeID: profileType, labelSelector };
      const profile = await retry(options, "SelectMergeProfile", () => querier.selectMergeProfile(request));
      return profile.sample.length === 0 ? undefined : profile;
    },
  };
}

function createCredentials({ tenant, token, user }: HistorySourceOptions): Interceptor {
  return (next) => (request) => {
    if (tenant !== undefined) request.header.set("x-scope-orgid", tenant);
    if (token !== undefined && user !== undefined) {
      const pair = Buffer.from(`${user}:${token.reveal()}`).toString("base64");
      request.header.set("authorization", `Basic ${pair}`);
    } else if (token !== undefined) {
      request.header.set("authorization", `Bearer ${token.reveal()}`);
    }
    return next(request);
  };
}

/** Reasons that pass: the server starts, is busy, or the connection broke. */
const passing: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.DeadlineExceeded,
  Code.Aborted,
]);

async function retry<Answer>(
  { url, onRetry }: HistorySourceOptions,
  method: string,
  call: () => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const what = `${method} of ${url}: ${Code[error.code]}: ${error.rawMessage}`;
      if (attempt === ATTEMPTS || !passing.has(error.code)) throw toReceiverError(what, error);
      const pauseMs = FIRST_PAUSE_MS * 2 ** (attempt - 1);
      onRetry?.(`${what}; once more in ${pauseMs} ms`);
      await sleep(pauseMs);
    }
  }
}

function toReceiverError(what: string, cause: ConnectError): ReceiverError {
  const hint =
    cause.code === Code.Unauthenticated || cause.code === Code.PermissionDenied
      ? " (--from-token and --from-user say who asks, --from-tenant for whom)"
      : "";
  return new ReceiverError(`${what}${hint}`, { code: "UNAVAILABLE", cause });
}
