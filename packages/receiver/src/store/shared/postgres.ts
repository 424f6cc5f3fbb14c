import type { Pool, PoolClient } from "pg";
import { ReceiverError } from "../../errors.ts";

const CONNECT_TIMEOUT_MS = 3000;
const STATEMENT_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 8;

/** A value of `$1` in SQL. */
export type PostgresValue = string | number | boolean | null | readonly string[];
/** A row by the names of its columns; int8 comes as text. */
export type PostgresRow = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Runs statements; all of a transaction, or each by itself. */
export interface PostgresSession {
  /** @throws `ReceiverError` STORAGE_UNAVAILABLE when the server does not answer or refuses. */
  query(sql: string, values?: readonly PostgresValue[]): Promise<readonly PostgresRow[]>;
}

/** Connections to a PostgreSQL server, made as they are needed and made again when they break. */
export class Postgres implements PostgresSession {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Loads the client, which receivers with a directory of their own never do. Connects to nothing yet. */
  static async create(url: string): Promise<Postgres> {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({
      connectionString: url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      application_name: "pyroscope",
    });
    // A connection that breaks while nobody uses it: the pool lets go of it, and the next query says what there is to say.
    pool.on("error", () => undefined);
    return new Postgres(pool);
  }

  async query(sql: string, values: readonly PostgresValue[] = []): Promise<readonly PostgresRow[]> {
    try {
      return (await this.#pool.query<PostgresRow>(sql, [...values])).rows;
    } catch (cause) {
      throw unavailable(sql, cause);
    }
  }

  /**
   * Runs statements that happen together or not at all. When it throws `ReceiverError` STORAGE_UNAVAILABLE, they may have
   * happened nevertheless: the answer to the commit was lost.
   */
  async transaction<T>(work: (session: PostgresSession) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (cause) {
      throw unavailable("connect", cause);
    }
    const session: PostgresSession = {
      query: async (sql, values = []) => {
        try {
          return (await client.query<PostgresRow>(sql, [...values])).rows;
        } catch (cause) {
          throw unavailable(sql, cause);
        }
      },
    };
    // One that breaks between two statements is told by the next of them.
    const ignore = (): void => undefined;
    client.on("error", ignore);
    let isBroken = true;
    try {
      await session.query("BEGIN");
      const result = await work(session);
      await session.query("COMMIT");
      isBroken = false;
      return result;
    } finally {
      client.off("error", ignore);
      // Closing a connection ends its transaction.
      client.release(isBroken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function unavailable(sql: string, cause: unknown): ReceiverError {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new ReceiverError(`PostgreSQL: ${sql.trim().slice(0, 80)}: ${reason}`, {
    code: "STORAGE_UNAVAILABLE",
    cause,
  });
}
