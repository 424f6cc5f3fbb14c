import { ReceiverError } from "../errors.ts";
import type { Database, SqlValue } from "./database.ts";
import type { ResultColumns } from "./result-columns.ts";

interface Waiter {
  readonly start: () => void;
}

/**
 * A database for what users ask: so many queries at once, the others wait in order. Each running query holds a
 * thread of libuv's pool, which the log's writes need as well; the store's own statements never wait here.
 */
export class QueryDatabase implements Database {
  readonly #database: Database;
  readonly #maxQueryCount: number;
  readonly #waiting: Waiter[] = [];
  #queryCount = 0;

  constructor(database: Database, maxQueryCount: number) {
    this.#database = database;
    this.#maxQueryCount = maxQueryCount;
  }

  async run(sql: string, parameters?: readonly SqlValue[]): Promise<void> {
    await this.#inTurn(undefined, () => this.#database.run(sql, parameters));
  }

  async select(sql: string, parameters?: readonly SqlValue[], signal?: AbortSignal): Promise<ResultColumns> {
    return await this.#inTurn(signal, () => this.#database.select(sql, parameters, signal));
  }

  async #inTurn<T>(signal: AbortSignal | undefined, query: () => Promise<T>): Promise<T> {
    if (this.#queryCount < this.#maxQueryCount) this.#queryCount++;
    else await this.#wait(signal);
    try {
      return await query();
    } finally {
      this.#endTurn();
    }
  }

  /** Resolves when a query that ends hands its turn over. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(
          new ReceiverError("query cancelled before its turn", { code: "CANCELLED", cause: signal?.reason }),
        );
      };
      const waiter: Waiter = {
        start: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      if (signal?.aborted === true) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #endTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#queryCount--;
    else next.start();
  }
}
