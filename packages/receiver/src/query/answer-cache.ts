import { answerBytes, copyAnswer } from "./answer-copy.ts";
import type { QueryKeys } from "./query-key.ts";
import type { Answer } from "./query-service.ts";
import type { TimeRange } from "./time-range.ts";

/** An answer, and what it was read from. */
interface Entry {
  readonly keys: QueryKeys;
  readonly range: TimeRange;
  readonly version: string;
  readonly answer: Answer<unknown>;
  readonly bytes: number;
}

/** An answer over another range. */
export type NearAnswer = Pick<Entry, "range" | "answer">;

/** One answer takes at most this part of the cache: a single large one must not push all others out. */
const MAX_SHARE = 4;

/**
 * Answers of queries, each with the version of what it was read from. An answer is given again only while a query
 * would read exactly that: nothing that was acknowledged meanwhile can be missing in it, and nothing that was deleted be
 * there.
 */
export class AnswerCache {
  readonly #maxBytes: number;
  /** By query, the one used last at the end: of each query the newest answer. */
  readonly #entries = new Map<string, Entry>();
  /** The newest answer of a question whose range slides: a page that is loaded again asks from a little later until now. */
  readonly #newest = new Map<string, Entry>();
  #bytes = 0;
  hitCount = 0;
  missCount = 0;

  /** @param maxBytes - 0: nothing is kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is worth asking for the version. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The answer with buffers of its own, or undefined. */
  get(key: string, version: string | undefined): Answer<unknown> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.version !== version) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.hitCount++;
    return copyAnswer(entry.answer);
  }

  /** The answer from the same version over a range of the same length; it is one to this question if no profile lies between. */
  near({ sliding }: QueryKeys, version: string | undefined): NearAnswer | undefined {
    const entry = sliding === undefined ? undefined : this.#newest.get(sliding);
    return entry !== undefined && entry.version === version ? entry : undefined;
  }

  /** Keeps a near answer as the one to this question as well. */
  adopt(
    keys: QueryKeys,
    range: TimeRange,
    version: string | undefined,
    { answer }: NearAnswer,
  ): Answer<unknown> {
    this.hitCount++;
    // The range before it does not come again.
    const before = keys.sliding === undefined ? undefined : this.#newest.get(keys.sliding);
    if (before?.answer === answer) this.#drop(before.keys.exact);
    this.#keep(keys, range, version, answer);
    return copyAnswer(answer);
  }

  /** Keeps a copy of an answer that was not there. */
  put(keys: QueryKeys, range: TimeRange, version: string | undefined, answer: Answer<unknown>): void {
    this.missCount++;
    this.#keep(keys, range, version, copyAnswer(answer));
  }

  #keep(keys: QueryKeys, range: TimeRange, version: string | undefined, answer: Answer<unknown>): void {
    if (version === undefined || this.#maxBytes === 0) return;
    this.#drop(keys.exact);
    const bytes = 2 * (2 * keys.exact.length + version.length) + answerBytes(answer);
    if (bytes > this.#maxBytes / MAX_SHARE) return;
    const entry = { keys, range, version, answer, bytes };
    this.#entries.set(keys.exact, entry);
    if (keys.sliding !== undefined) this.#newest.set(keys.sliding, entry);
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const { sliding } = entry.keys;
    if (sliding !== undefined && this.#newest.get(sliding) === entry) this.#newest.delete(sliding);
    this.#bytes -= entry.bytes;
  }
}
