import type { HeadGeneration } from "./head-generation.ts";
import { Latch } from "./latch.ts";
import type { WalWriter } from "./wal-writer.ts";

/**
 * A generation of the head with the log that makes it durable. What a record of the log holds goes into this
 * generation and no other, so that the blocks made of the one replace all of the other.
 */
export class HeadSlot {
  readonly generation: HeadGeneration;
  readonly wal: WalWriter;
  /** Segments of an earlier run that were replayed into the generation. */
  readonly replayedSegments: string[] = [];
  /** Tenants whose rows are in a block by now; queries read that instead. */
  readonly flushedTenants: Set<string> = new Set();
  readonly #appends = new Latch();
  readonly #readers = new Latch();

  constructor(generation: HeadGeneration, wal: WalWriter) {
    this.generation = generation;
    this.wal = wal;
  }

  /** Segments that blocks of this generation replace. */
  get segments(): readonly string[] {
    return [...this.replayedSegments, ...this.wal.segments];
  }

  /** Whether there is nothing to flush and nothing on its way. */
  get isEmpty(): boolean {
    return this.#appends.count === 0 && this.segments.length === 0 && this.generation.totalCount === 0;
  }

  /** Runs an append; the generation is not flushed before it has ended. */
  async whilePending(append: () => Promise<void>): Promise<void> {
    this.#appends.enter();
    try {
      await append();
    } finally {
      this.#appends.leave();
    }
  }

  /** Resolves when no append is pending. No new one may begin. */
  drained(): Promise<void> {
    return this.#appends.empty();
  }

  /** Keeps the tables until {@link HeadSlot.release}. */
  retain(): void {
    this.#readers.enter();
  }

  release(): void {
    this.#readers.leave();
  }

  /** Resolves when no query reads the generation. No new one may begin. */
  unused(): Promise<void> {
    return this.#readers.empty();
  }
}
