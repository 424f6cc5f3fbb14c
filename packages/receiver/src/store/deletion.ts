import { createHash } from "node:crypto";
import { ReceiverError } from "../errors.ts";
import type { Blobs } from "./blobs.ts";

/** Version of the list; a newer one is not touched. */
const FORMAT = 1;

/** Before the keys of what a bucket knows of deletions. */
export const DELETION_KEYS = "deletions/";

/** An application whose profiles in some blocks are deleted, and not yet out of their files. */
export interface Deletion {
  readonly tenant: string;
  readonly service: string;
  /** Ids. */
  readonly blocks: readonly string[];
}

/** Key of a deletion in a bucket: by its content, so that there is no second object of one deletion. */
export function deletionKey(deletion: Deletion): string {
  return `${DELETION_KEYS}${createHash("sha256")
    .update(formatDeletions([deletion]))
    .digest("hex")}.json`;
}

/** Prints deletions as a list. */
export function formatDeletions(deletions: readonly Deletion[]): Buffer {
  const list = deletions.map(({ tenant, service, blocks }) => ({ tenant, service, blocks }));
  return Buffer.from(JSON.stringify({ format: FORMAT, deletions: list }));
}

/** @throws {@link ReceiverError} STORAGE_FORMAT for a list of a newer version, and for what is none. */
export function parseDeletions(bytes: Buffer, place: string): readonly Deletion[] {
  const { format, deletions } = parseJson(bytes, place);
  if (format > FORMAT) {
    throw new ReceiverError(`read ${place}: format ${format}, this program reads up to ${FORMAT}`, {
      code: "STORAGE_FORMAT",
    });
  }
  return deletions;
}

interface DeletionsFile {
  readonly format: number;
  readonly deletions: readonly Deletion[];
}

function parseJson(bytes: Buffer, place: string): DeletionsFile {
  try {
    return JSON.parse(bytes.toString("utf8")) as DeletionsFile;
  } catch (cause) {
    throw new ReceiverError(
      `read ${place}: not a list of deletions, but ${bytes.length} other bytes; without it what it deleted would be seen again`,
      { code: "STORAGE_FORMAT", cause },
    );
  }
}

/** What a bucket knows of deletions. */
export async function findDeletions(blobs: Blobs): Promise<readonly Deletion[]> {
  const found: Deletion[] = [];
  for (const key of await blobs.list(DELETION_KEYS)) {
    const bytes = await blobs.read(key);
    if (bytes !== undefined) found.push(...parseDeletions(bytes, key));
  }
  return found;
}
