import { answerBytes, copyAnswer } from "./answer-copy.ts";
import type { Answer } from "./query-service.ts";

interface Entry {
  readonly version: string;
  readonly answer: Answer<unknown>;
  readonly bytes: number;
}

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

  /** Keeps a copy of an answer that was not there. */
  put(key: string, version: string | undefined, answer: Answer<unknown>): void {
    this.missCount++;
    if (version === undefined || this.#maxBytes === 0) return;
    this.#drop(key);
    const bytes = 2 * (key.length + version.length) + answerBytes(answer);
    if (bytes > this.#maxBytes / MAX_SHARE) return;
    this.#entries.set(key, { version, answer: copyAnswer(answer), bytes });
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
    this.#bytes -= entry.bytes;
  }
}
