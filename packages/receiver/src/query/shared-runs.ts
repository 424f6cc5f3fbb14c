import { ReceiverError } from "../errors.ts";
import { copyAnswer } from "./answer-copy.ts";
import { toCancelled } from "./query-gate.ts";
import type { Answer } from "./query-service.ts";

/** A query that waits for its turn, and everybody who wants its answer. */
interface Run {
  readonly answer: Promise<Answer<unknown>>;
  /** Fires when the last of them has left. */
  readonly controller: AbortController;
  memberCount: number;
  /** Whether there has ever been more than one. */
  isShared: boolean;
}

/**
 * Makes one query of equal ones that wait. Who comes before it has begun to read gets all that was acknowledged before he
 * came; who comes later does not join.
 */
export class SharedRuns {
  readonly #waiting = new Map<string, Run>();
  /** Queries that were answered by another one. */
  joinedCount = 0;

  /**
   * Joins the query of that key that waits, or begins one.
   *
   * @param start - Runs it; calls `begin` before it looks at anything. Its signal fires when nobody wants the answer.
   * @param signal - Of one who asks: when it fires the others go on.
   */
  async run(
    key: string,
    start: (signal: AbortSignal, begin: () => void) => Promise<Answer<unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<Answer<unknown>> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return await this.#follow(key, this.#lead(key, start), signal);
    this.joinedCount++;
    waiting.memberCount++;
    waiting.isShared = true;
    try {
      return await this.#follow(key, waiting, signal);
    } catch (error) {
      // Its time began before this one came.
      const isLate = error instanceof ReceiverError && error.code === "DEADLINE_EXCEEDED";
      if (!isLate || signal?.aborted) throw error;
      return await this.#follow(key, this.#lead(key, start), signal);
    }
  }

  #lead(key: string, start: (signal: AbortSignal, begin: () => void) => Promise<Answer<unknown>>): Run {
    const controller = new AbortController();
    const end = (): void => this.#end(key, run);
    // Not before it is in the map: it may begin at once.
    const answer = Promise.resolve().then(() => start(controller.signal, end));
    const run: Run = { answer, controller, memberCount: 1, isShared: false };
    if (!this.#waiting.has(key)) this.#waiting.set(key, run);
    // One that is refused in line never begins.
    answer.then(end, end);
    return run;
  }

  #end(key: string, run: Run): void {
    if (this.#waiting.get(key) === run) this.#waiting.delete(key);
  }

  async #follow(key: string, run: Run, signal: AbortSignal | undefined): Promise<Answer<unknown>> {
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        run.memberCount--;
        if (run.memberCount > 0) return reject(toCancelled(signal?.reason));
        // The last one waits until all that the query holds is given back.
        this.#end(key, run);
        run.controller.abort(signal?.reason);
      };
    });
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    try {
      const answer = await Promise.race([run.answer, left]);
      return run.isShared ? copyAnswer(answer) : answer;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }
}
