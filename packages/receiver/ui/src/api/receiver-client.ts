import { type DiffTree, decodeTree, flamebearerToDiffTree, type Tree } from "@pyroscope-ts/protocol";
import type { ResolvedRange, TimelineGrid } from "../state/time-range.ts";
import { RequestError, toRequestError } from "./request-error.ts";
import type { TokenRefusal } from "./session-token.ts";
import { readSpanTotals, type SpanTotals } from "./span-totals.ts";
import {
  asList,
  asObject,
  formatQuery,
  type ProfileQuery,
  readLabels,
  readSeries,
  type TimeSeries,
  type TreeOptions,
  toIdParams,
  toTreeParams,
  toWireRange,
  type WireObject,
  withType,
} from "./wire.ts";

const QUERIER = "querier.v1.QuerierService";

/** What the receiver says about an answer beside the answer. */
export interface AnswerNotices {
  /** Which resolution answered, when it was not the raw profiles; "" otherwise. */
  readonly resolution: string;
  /** Which blocks could not be read; "" when all could. */
  readonly partial: string;
}

/** An answer with its notices. */
export interface Answer<T> {
  readonly value: T;
  readonly notices: AnswerNotices;
}

/** Formats that a profile can be saved in. */
export type DownloadFormat = "pprof" | "collapsed" | "json";

/** What the receiver holds altogether. */
export interface ProfileStats {
  readonly hasData: boolean;
  readonly newestMs: number;
}

/** What a client needs from its page. */
export interface ReceiverClientOptions {
  /** Address that the receiver's routes are relative to, with a `/` at its end. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  /** The read token, or "" when none is known. */
  readonly token: () => string;
  /** The receiver wants a token, or another one. */
  readonly onRefused: (refusal: TokenRefusal) => void;
}

/** Speaks to one receiver. Every call rejects with {@link RequestError}; an aborted one with the signal's reason. */
export class ReceiverClient {
  readonly #options: ReceiverClientOptions;

  constructor(options: ReceiverClientOptions) {
    this.#options = options;
  }

  /** Services and the profile types each sent within a range. */
  async listServices(
    range: ResolvedRange,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const answer = await this.#call(
      "Series",
      {
        ...toWireRange(range),
        labelNames: ["service_name", "__profile_type__"],
      },
      signal,
    );
    const services = new Map<string, string[]>();
    for (const entry of asList(answer.labelsSet)) {
      const labels = readLabels(entry);
      const service = labels.service_name ?? "";
      const type = labels.__profile_type__;
      if (type === undefined) continue;
      services.set(service, [...(services.get(service) ?? []), type]);
    }
    return services;
  }

  /** Names of labels on the series that a selector finds, the receiver's own (`__…__`) left out. */
  async listLabelNames(query: ProfileQuery, signal: AbortSignal): Promise<readonly string[]> {
    const answer = await this.#call(
      "LabelNames",
      { ...toWireRange(query), matchers: [withType(query)] },
      signal,
    );
    return asList(answer.names)
      .map(String)
      .filter((name) => !name.startsWith("__"));
  }

  /** Values of one label on the series that a selector finds. */
  async listLabelValues(name: string, query: ProfileQuery, signal: AbortSignal): Promise<readonly string[]> {
    const answer = await this.#call(
      "LabelValues",
      { ...toWireRange(query), name, matchers: [withType(query)] },
      signal,
    );
    return asList(answer.names).map(String);
  }

  /** Values over time, one series for each value of `groupBy`, the largest first. */
  async selectSeries(
    query: ProfileQuery,
    grid: TimelineGrid,
    options: { readonly groupBy: readonly string[]; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly TimeSeries[]> {
    const answer = await this.#call(
      "SelectSeries",
      {
        profileTypeID: query.type,
        labelSelector: query.selector,
        ...toWireRange(grid),
        step: grid.stepSeconds,
        groupBy: options.groupBy,
        ...(options.limit > 0 ? { limit: String(options.limit) } : {}),
      },
      signal,
    );
    return asList(answer.series).map(readSeries);
  }

  /** What the receiver holds. */
  async readStats(signal: AbortSignal): Promise<ProfileStats> {
    const answer = await this.#call("GetProfileStats", {}, signal);
    return { hasData: answer.dataIngested === true, newestMs: Number(answer.newestProfileTime ?? 0) };
  }

  /** The merged flame graph of a query. */
  async fetchTree(query: ProfileQuery, options: TreeOptions, signal: AbortSignal): Promise<Answer<Tree>> {
    const response = await this.#get(this.renderPath(query, "tree", options), signal);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { value: decodeAnswer(() => decodeTree(bytes)), notices: readNotices(response) };
  }

  /** Which spans the samples of a query belong to, or those of them that have a function on their stack. */
  async fetchSpans(
    query: ProfileQuery,
    functionName: string,
    signal: AbortSignal,
  ): Promise<Answer<SpanTotals>> {
    const params = new URLSearchParams({
      query: formatQuery(query),
      from: String(query.fromMs),
      until: String(query.untilMs),
      ...toIdParams(query),
      ...(functionName === "" ? {} : { function: functionName }),
    });
    const response = await this.#get(`api/v1/spans?${params}`, signal);
    return { value: readSpanTotals(await response.json()), notices: readNotices(response) };
  }

  /** Two flame graphs laid over each other. */
  async fetchDiff(
    left: ProfileQuery,
    right: ProfileQuery,
    options: TreeOptions,
    signal: AbortSignal,
  ): Promise<Answer<DiffTree>> {
    const params = new URLSearchParams({
      leftQuery: formatQuery(left),
      leftFrom: String(left.fromMs),
      leftUntil: String(left.untilMs),
      rightQuery: formatQuery(right),
      rightFrom: String(right.fromMs),
      rightUntil: String(right.untilMs),
      ...toTreeParams(options),
    });
    const response = await this.#get(`render-diff?${params}`, signal);
    const profile = asObject(await response.json());
    const flamebearer = asObject(profile.flamebearer);
    const value = decodeAnswer(() =>
      flamebearerToDiffTree({
        names: asList(flamebearer.names).map(String),
        levels: asList(flamebearer.levels).map((level) => asList(level).map(Number)),
        numTicks: Number(flamebearer.numTicks ?? 0),
        maxSelf: Number(flamebearer.maxSelf ?? 0),
        leftTicks: Number(profile.leftTicks ?? 0),
        rightTicks: Number(profile.rightTicks ?? 0),
      }),
    );
    return { value, notices: readNotices(response) };
  }

  /** Address of a query's profile in some format, relative to the page. */
  renderPath(query: ProfileQuery, format: DownloadFormat | "tree", options?: TreeOptions): string {
    const params = new URLSearchParams({
      query: formatQuery(query),
      from: String(query.fromMs),
      until: String(query.untilMs),
      format,
      ...toIdParams(query),
      ...(options === undefined ? {} : toTreeParams(options)),
    });
    return `render?${params}`;
  }

  /** A query's profile as a file. */
  async download(path: string, signal: AbortSignal): Promise<Blob> {
    const response = await this.#get(path, signal);
    return response.blob();
  }

  async #call(method: string, message: object, signal: AbortSignal): Promise<WireObject> {
    const response = await this.#fetch(`${QUERIER}/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
      signal,
    });
    return asObject(await response.json());
  }

  #get(path: string, signal: AbortSignal): Promise<Response> {
    return this.#fetch(path, { signal });
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const token = this.#options.token();
    if (token !== "") headers.set("Authorization", `Bearer ${token}`);
    const response = await this.#send(new URL(path, this.#options.baseUrl), { ...init, headers });
    if (response.ok) return response;
    const refusal = findRefusal(response.status, token);
    // An answer to a token that was replaced meanwhile says nothing about the new one.
    if (refusal !== undefined && token === this.#options.token()) this.#options.onRefused(refusal);
    throw await toRequestError(response);
  }

  async #send(url: URL, init: RequestInit): Promise<Response> {
    const { fetch: send } = this.#options;
    try {
      return await send(url, init);
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      throw new RequestError(`${url.host}: no answer; is the receiver running?`, {
        code: "UNREACHABLE",
        cause,
      });
    }
  }
}

function findRefusal(status: number, token: string): TokenRefusal | undefined {
  if (status === 401) return token === "" ? "missing" : "unknown";
  return status === 403 && token !== "" ? "forbidden" : undefined;
}

function readNotices(response: Response): AnswerNotices {
  return {
    resolution: response.headers.get("x-pyroscope-resolution") ?? "",
    partial: response.headers.get("x-pyroscope-partial") ?? "",
  };
}

function decodeAnswer<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RequestError(`reading the flame graph: ${reason}`, { code: "MALFORMED", cause });
  }
}
