import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Block } from "./block.ts";
import { type Deletion, deletionKey, formatDeletions, parseDeletions } from "./deletion.ts";
import type { DataPaths } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import { hasErrorCode } from "./fs.ts";
import { listBlockPaths } from "./quarantine.ts";

/** Where deletions are known beyond this machine, so that they outlive its disk. */
export interface DeletionBucket {
  /** Resolves when the bucket has it, or, while it is away, when it is remembered that it must. */
  addDeletion(deletion: Deletion): Promise<void>;
  /** No block has it any more; the bucket forgets it after the blocks that had it are gone from there. */
  settleDeletion(deletion: Deletion): Promise<void>;
}

/**
 * Applications that were deleted, until no file holds them: which services of which blocks no answer may have. It is a
 * small file, written beside its place and renamed into it, and empty again when the blocks are rewritten.
 */
export class Deletions {
  readonly #fs: Fs;
  readonly #paths: DataPaths;
  readonly #bucket: DeletionBucket | undefined;
  #pending: readonly Deletion[] = [];
  /** Services by tenant that are hidden wherever they are: their deletion is under way. */
  readonly #hidden = new Map<string, Set<string>>();

  /** @param bucket - undefined: the data directory alone knows them. */
  constructor(fs: Fs, paths: DataPaths, bucket?: DeletionBucket) {
    this.#fs = fs;
    this.#paths = paths;
    this.#bucket = bucket;
  }

  /** That are not out of every file yet. */
  get pending(): readonly Deletion[] {
    return this.#pending;
  }

  /** @throws {@link ReceiverError} STORAGE_FORMAT for a file of a newer version. */
  async load(): Promise<void> {
    const text = await this.#fs.readFile(this.#paths.deletions).catch((error: unknown) => {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    });
    if (text !== undefined) this.#pending = parseDeletions(text, this.#paths.deletions);
  }

  /** Takes over what a bucket knows and this machine does not; durable when it resolves. */
  async adopt(found: readonly Deletion[]): Promise<void> {
    const known = new Set(this.#pending.map(deletionKey));
    const unknown = found.filter((deletion) => !known.has(deletionKey(deletion)));
    if (unknown.length > 0) await this.#write([...this.#pending, ...unknown]);
  }

  /** Hides a service of a tenant from every answer while `act` runs. */
  async whileHidden<Result>(tenant: string, service: string, act: () => Promise<Result>): Promise<Result> {
    const services = this.#hidden.get(tenant) ?? new Set();
    this.#hidden.set(tenant, services.add(service));
    try {
      return await act();
    } finally {
      services.delete(service);
    }
  }

  /** Deletes a service's profiles in these blocks; durable when it resolves. */
  async add(tenant: string, service: string, blocks: readonly Block[]): Promise<void> {
    if (blocks.length === 0) return;
    const deletion = { tenant, service, blocks: blocks.map(({ meta }) => meta.id) };
    await this.#write([...this.#pending, deletion]);
    await this.#bucket?.addDeletion(deletion);
  }

  /**
   * Forgets deletions of a tenant whose blocks are all gone: rewritten, deleted or set aside. One that is out of answers
   * and has its files still, since a query holds it, would be found by the next start after a crash.
   */
  async settle(tenant: string): Promise<void> {
    if (!this.#pending.some((deletion) => deletion.tenant === tenant)) return;
    const paths = await listBlockPaths(this.#fs, this.#paths.blocks);
    const ids = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
    const isSettled = (deletion: Deletion): boolean =>
      deletion.tenant === tenant && !deletion.blocks.some((id) => ids.has(id));
    const settled = this.#pending.filter(isSettled);
    if (settled.length === 0) return;
    // First: with the list goes what is known of the bucket's.
    for (const deletion of settled) await this.#bucket?.settleDeletion(deletion);
    await this.#write(this.#pending.filter((deletion) => !isSettled(deletion)));
  }

  /** Services that no answer may have of a block. */
  hiddenIn({ meta }: Block): readonly string[] {
    const pending = this.#pending.filter(
      ({ tenant, blocks }) => tenant === meta.tenant && blocks.includes(meta.id),
    );
    const services = [...pending.map(({ service }) => service), ...this.hiddenInHead(meta.tenant)];
    return [...new Set(services)].filter((service) => meta.services.includes(service));
  }

  /** Services that no answer may have of what is in memory. */
  hiddenInHead(tenant: string): readonly string[] {
    return [...(this.#hidden.get(tenant) ?? [])];
  }

  /** Whether a block has to be written again without what was deleted. */
  isPending({ meta }: Block): boolean {
    return this.#pending.some(({ tenant, blocks }) => tenant === meta.tenant && blocks.includes(meta.id));
  }

  async #write(deletions: readonly Deletion[]): Promise<void> {
    const { deletions: path, root } = this.#paths;
    if (deletions.length === 0) await this.#fs.remove(path);
    else {
      const temporary = join(this.#paths.building, "deletions.json");
      await this.#fs.remove(temporary);
      await this.#fs.writeFile(temporary, formatDeletions(deletions));
      await this.#fs.rename(temporary, path);
    }
    await this.#fs.syncDirectory(root);
    this.#pending = deletions;
  }
}

/** A condition on rows with a service, which is none of these. Names come from outside: no text of theirs is in it. */
export function notInServices(services: readonly string[]): string {
  const digests = services.map((service) => `'${createHash("md5").update(service, "utf8").digest("hex")}'`);
  return `md5(service) NOT IN (${digests.join(", ")})`;
}
