import { createHash } from "node:crypto";
import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { Block } from "./block.ts";
import type { DataPaths } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import { hasErrorCode } from "./fs.ts";
import { listBlockPaths } from "./quarantine.ts";

/** Version of the file; a newer one is not touched. */
const FORMAT = 1;

/** An application whose profiles in some blocks are deleted, and not yet out of their files. */
interface Deletion {
  readonly tenant: string;
  readonly service: string;
  /** Ids. */
  readonly blocks: readonly string[];
}

/**
 * Applications that were deleted, until no file holds them: which services of which blocks no answer may have. It is a
 * small file, written beside its place and renamed into it, and empty again when the blocks are rewritten.
 */
export class Deletions {
  readonly #fs: Fs;
  readonly #paths: DataPaths;
  #pending: readonly Deletion[] = [];
  /** Services by tenant that are hidden wherever they are: their deletion is under way. */
  readonly #hidden = new Map<string, Set<string>>();

  constructor(fs: Fs, paths: DataPaths) {
    this.#fs = fs;
    this.#paths = paths;
  }

  /** @throws {@link ReceiverError} STORAGE_FORMAT for a file of a newer version. */
  async load(): Promise<void> {
    const text = await this.#fs.readFile(this.#paths.deletions).catch((error: unknown) => {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    });
    if (text === undefined) return;
    const { format, deletions } = JSON.parse(text.toString("utf8")) as {
      readonly format: number;
      readonly deletions: readonly Deletion[];
    };
    if (format > FORMAT) {
      throw new ReceiverError(
        `read ${this.#paths.deletions}: format ${format}, this program reads up to ${FORMAT}`,
        { code: "STORAGE_FORMAT" },
      );
    }
    this.#pending = deletions;
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
    await this.#write([...this.#pending, { tenant, service, blocks: blocks.map(({ meta }) => meta.id) }]);
  }

  /**
   * Forgets blocks of a tenant whose files are gone: rewritten, deleted or set aside. One that is out of answers and has
   * its files still, since a query holds it, would be found by the next start after a crash.
   */
  async settle(tenant: string): Promise<void> {
    if (!this.#pending.some((deletion) => deletion.tenant === tenant)) return;
    const paths = await listBlockPaths(this.#fs, this.#paths.blocks);
    const ids = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
    const left = this.#pending
      .map((deletion) =>
        deletion.tenant === tenant
          ? { ...deletion, blocks: deletion.blocks.filter((id) => ids.has(id)) }
          : deletion,
      )
      .filter(({ blocks }) => blocks.length > 0);
    const countIds = (deletions: readonly Deletion[]): number =>
      deletions.flatMap(({ blocks }) => blocks).length;
    if (countIds(left) < countIds(this.#pending)) await this.#write(left);
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
      await this.#fs.writeFile(temporary, Buffer.from(JSON.stringify({ format: FORMAT, deletions })));
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
