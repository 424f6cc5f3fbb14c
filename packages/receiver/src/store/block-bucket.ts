import type { Block } from "./block.ts";
import type { BlockMeta } from "./block-meta.ts";
import type { TableName } from "./schema.ts";

/** What blocks of a data directory have beyond this machine. */
export interface BlockBucket {
  /** A block was committed to the data directory. Throws where that is not enough and the bucket does not take it. */
  committed(meta: BlockMeta): Promise<void>;
  /** A block will be deleted from the data directory, because it is merged or past its time. */
  discarding(path: string): Promise<void>;
  /** Which files of a block are on this machine: what can be evicted. */
  note(block: Block): Promise<void>;
  /** A query needs the block: it is evicted later than others. */
  touch(block: Block): void;
  /**
   * Brings a file of a block that is not there or is damaged.
   *
   * @returns why that is of no use, or undefined when the file is there and its checksum holds.
   * @throws `ReceiverError` STORAGE_UNAVAILABLE when the bucket cannot be read now.
   */
  fetch(block: Block, table: TableName): Promise<string | undefined>;
}
