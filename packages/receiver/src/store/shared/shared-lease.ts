import { ReceiverError } from "../../errors.ts";
import type { Block } from "../block.ts";
import type { Lease } from "../catalog.ts";
import type { PostgresRow } from "./postgres.ts";
import type { Repeats } from "./repeats.ts";

/** What a compactor has of blocks. Its token is newer than that of whoever had them before. */
export class SharedLease implements Lease {
  readonly token: string;
  readonly blocks: readonly Block[];
  readonly #giveBack: () => Promise<void>;
  readonly #repeats: Repeats;
  readonly #findRepeats: () => Promise<ReadonlyMap<Block, string>>;
  #labels: Promise<ReadonlyMap<Block, string>> | undefined;

  constructor(
    token: string,
    blocks: readonly Block[],
    repeats: Repeats,
    findRepeats: () => Promise<ReadonlyMap<Block, string>>,
    giveBack: () => Promise<void>,
  ) {
    this.token = token;
    this.blocks = blocks;
    this.#repeats = repeats;
    this.#findRepeats = findRepeats;
    this.#giveBack = giveBack;
  }

  async release(): Promise<void> {
    await this.#giveBack();
    const labels = await this.#labels?.catch(() => undefined);
    await this.#repeats.forget([...(labels?.values() ?? [])]).catch(() => undefined);
  }

  async repeatsOf(block: Block): Promise<string | undefined> {
    this.#labels ??= this.#findRepeats();
    const label = (await this.#labels).get(block);
    return label === undefined ? undefined : this.#repeats.select(label);
  }
}

export function tokenOf(lease: Lease): string {
  if (lease instanceof SharedLease) return lease.token;
  throw new ReceiverError("the lease is another catalog's", { code: "INTERNAL" });
}

export function idsOf({ blocks }: Lease): readonly string[] {
  return blocks.map(({ meta }) => meta.id);
}

export function tenantsOf({ blocks }: Pick<Lease, "blocks">): readonly string[] {
  return [...new Set(blocks.map(({ meta }) => meta.tenant))];
}

export function lostLease({ blocks }: Lease, held: readonly PostgresRow[]): ReceiverError {
  return new ReceiverError(
    `the lease of ${blocks.length} blocks was lost: ${blocks.length - held.length} are another's, or gone`,
    { code: "UNAVAILABLE" },
  );
}
