import type { ClickHouseClient } from "@clickhouse/client";
import { ReceiverError } from "../../errors.ts";
import { groupBy } from "../group-by.ts";
import type { PointSum, RemoteEngine, RemotePart, StackSums } from "../remote-engine.ts";
import type { SampleFilter } from "../select-filter.ts";
import type { TimeGrid } from "../totals-query.ts";
import { toClickHouseCondition } from "./clickhouse-filter.ts";
import { bucketSource, type ClickHouseBucket, type ClickHouseSource } from "./clickhouse-source.ts";

export interface ClickHouseEngineOptions {
  readonly client: Pick<ClickHouseClient, "query" | "close">;
  readonly source: ClickHouseSource;
  /** Of the server, for messages; without user and password. */
  readonly name: string;
  /** What no message may have: ClickHouse repeats queries in its own. */
  readonly secrets: readonly string[];
}

/** How a server is reached. Survives `structuredClone`. */
export interface ClickHousePlace extends ClickHouseBucket {
  /** `http://user:password@host:8123/database`. */
  readonly url: string;
}

// Lists of ids and files are long.
const MAX_QUERY_BYTES = 64 * 1024 * 1024;
/** Longest silence of the server; whoever asks may leave earlier. */
const REQUEST_TIMEOUT_MS = 120_000;

/** Sums samples by ClickHouse, which reads the objects of blocks by itself. */
export class ClickHouseEngine implements RemoteEngine {
  readonly #options: ClickHouseEngineOptions;

  constructor(options: ClickHouseEngineOptions) {
    this.#options = options;
  }

  /** Loads the client, which receivers without such a server never do. Connects to nothing yet. */
  static async create(
    place: ClickHousePlace,
    requestTimeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<ClickHouseEngine> {
    const { ClickHouseLogLevel, createClient } = await import("@clickhouse/client");
    const { origin, username, password, pathname } = new URL(place.url);
    const database = decodeURIComponent(pathname.slice(1));
    const secret = decodeURIComponent(password);
    const client = createClient({
      url: origin,
      ...(username !== "" && { username: decodeURIComponent(username) }),
      ...(secret !== "" && { password: secret }),
      ...(database !== "" && { database }),
      application: "pyroscope",
      request_timeout: requestTimeoutMs,
      // It prints queries, keys and all. Whatever fails is thrown, and said where it is caught.
      log: { level: ClickHouseLogLevel.OFF },
    });
    const key = place.s3.credentials?.secretAccessKey;
    const secrets = [secret, password, key].filter((text) => text !== undefined && text !== "");
    return new ClickHouseEngine({
      client,
      source: bucketSource(place),
      name: origin,
      secrets: secrets as string[],
    });
  }

  async sumStacks(
    parts: readonly RemotePart[],
    filter: SampleFilter,
    signal?: AbortSignal,
  ): Promise<StackSums> {
    // sum() of Int64 wraps around.
    const rows = await this.#selectEach(
      parts,
      filter,
      (from) => `SELECT stack, toString(sum(toInt128(value))) FROM ${from} GROUP BY stack`,
      signal,
    );
    return rows.map(([stack, value]) => [BigInt(stack!), BigInt(value!)] as const);
  }

  async sumPoints(
    parts: readonly RemotePart[],
    filter: SampleFilter,
    { startUnixMillis, stepMs }: TimeGrid,
    signal?: AbortSignal,
  ): Promise<readonly PointSum[]> {
    const [start, step] = [BigInt(startUnixMillis), BigInt(stepMs)];
    const millis = "intDiv(toUnixTimestamp64Nano(time), 1000000)";
    const bucket = `greatest(toInt64(0), intDiv(${millis} - toInt64(${start}) + toInt64(${step}) - 1, toInt64(${step})))`;
    const rows = await this.#selectEach(
      parts,
      filter,
      (
        from,
      ) => `SELECT series, ${bucket} AS bucket, toString(sum(toInt128(value))), toString(uniqExact(time, profile))
 FROM ${from} GROUP BY series, bucket`,
      signal,
    );
    return rows.map(([series, at, total, profiles]) => ({
      ...{ series: BigInt(series!), bucket: BigInt(at!), total: BigInt(total!), profiles: Number(profiles) },
    }));
  }

  async close(): Promise<void> {
    await this.#options.client.close();
  }

  /** One query for all parts of which the same times count: nearly always one. */
  async #selectEach(
    parts: readonly RemotePart[],
    filter: SampleFilter,
    query: (from: string) => string,
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly string[])[]> {
    const alike = [...groupBy(parts, ({ ranges }) => JSON.stringify(ranges ?? null)).values()];
    const results: (readonly string[])[] = [];
    for (const group of alike) {
      const condition = toClickHouseCondition(filter, group[0]!.ranges);
      const from = `${this.#options.source(group.map(({ path }) => path))} WHERE ${condition.text}`;
      results.push(...(await this.#select(query(from), condition.parameters, signal)));
    }
    return results;
  }

  async #select(
    query: string,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly string[])[]> {
    const { client } = this.#options;
    try {
      const result = await client.query({
        ...{ query, query_params: parameters, format: "JSONCompactEachRow" as const },
        ...(signal !== undefined && { abort_signal: signal }),
        clickhouse_settings: {
          session_timezone: "UTC",
          max_query_size: String(MAX_QUERY_BYTES),
          output_format_json_quote_64bit_integers: 1,
          // Who is gone costs nothing more.
          cancel_http_readonly_queries_on_client_close: 1,
        },
      });
      return parseRows(await result.text());
    } catch (error) {
      throw this.#toReceiverError(error, signal);
    }
  }

  /** Without its cause: what that says and holds may have keys of the bucket. */
  #toReceiverError(error: unknown, signal: AbortSignal | undefined): ReceiverError {
    if (signal?.aborted === true)
      return new ReceiverError("query cancelled: the one who asked is gone", { code: "CANCELLED" });
    const { name, secrets } = this.#options;
    return new ReceiverError(`ClickHouse ${name}: ${describe(error, secrets)}`, {
      code: "STORAGE_UNAVAILABLE",
    });
  }
}

const MAX_MESSAGE_LENGTH = 300;

/**
 * Reads rows whose columns are whole numbers as texts, one in each line. A server that fails in the middle of an answer has
 * said 200 already and says why in a line of its own; the client's own reading leaves out a line without an end.
 */
function parseRows(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const rest = lines.pop();
  if (rest !== "") throw unexpected(rest);
  return lines.map((line) => {
    if (!/^\["-?\d+"(?:, *"-?\d+")*\]$/.test(line)) throw unexpected(line);
    return JSON.parse(line) as readonly string[];
  });
}

function unexpected(line: string | undefined): Error {
  return new Error(`expected a row of numbers, got ${line}`);
}

function describe(error: unknown, secrets: readonly string[]): string {
  if (!(error instanceof Error)) return "it failed";
  const code = "code" in error && error.code !== undefined ? `${String(error.code)}: ` : "";
  let text = `${code}${error.message}`;
  for (const secret of secrets) {
    text = text.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***");
  }
  // What follows repeats the query.
  const [reason = ""] = text.split(/ in scope |: While /i);
  return reason.length > MAX_MESSAGE_LENGTH ? `${reason.slice(0, MAX_MESSAGE_LENGTH)}…` : reason;
}
