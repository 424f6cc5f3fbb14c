import type { Block } from "../block.ts";
import { parseBlockMeta } from "../block-meta.ts";
import type { Deletions } from "../deletions.ts";
import type { Application, DeletionReport } from "../store.ts";
import { decodeText, encodeText } from "./block-row.ts";
import type { Postgres, PostgresRow } from "./postgres.ts";

/** What rows of `pyroscope_blocks` say of deletions, for {@link SharedDeletions.learn}. */
export const DELETION_COLUMNS = "needs_rewrite, hidden_services";

/**
 * Applications that were deleted and are in objects still, as the rows of blocks say it: which services of a block no
 * answer may have, and which blocks have to be written again. What this process knows is as of the catalog's last look.
 */
export class SharedDeletions
  implements Pick<Deletions, "hiddenIn" | "hiddenInHead" | "isPending" | "settle">
{
  /** Services by id of the blocks that have to be written again; none where a block only shares an object with such a one. */
  readonly #hidden = new Map<string, readonly string[]>();

  hiddenIn({ meta }: Block): readonly string[] {
    return this.#hidden.get(meta.id) ?? [];
  }

  /** Nothing is in memory that is acknowledged. */
  hiddenInHead(): readonly string[] {
    return [];
  }

  isPending({ meta }: Block): boolean {
    return this.#hidden.has(meta.id);
  }

  /** A row says it for as long as there is its block. */
  async settle(): Promise<void> {}

  /** Takes over what a row says. Returns whether other services are hidden now. */
  learn({ id, needs_rewrite: isPending, hidden_services: hidden }: PostgresRow): boolean {
    if (isPending !== true) return false;
    const services = [...new Set((hidden as readonly string[]).map(decodeText))];
    const before = this.#hidden.get(String(id)) ?? [];
    this.#hidden.set(String(id), services);
    // Services are only added.
    return services.length !== before.length;
  }

  /** A block is gone. */
  forget(id: string): void {
    this.#hidden.delete(id);
  }
}

/**
 * Hides an application in all blocks that are committed, in one step for all processes, and has them written again,
 * with the blocks that share an object with them. Whoever works on one of its blocks loses the lease: what he makes of
 * it would have the application still.
 */
export async function deleteSharedApplication(
  postgres: Postgres,
  { tenant, service }: Application,
): Promise<DeletionReport> {
  return await postgres.transaction(async (session) => {
    // For some milliseconds nobody commits, so that no merge takes a block's place between the look and the change.
    await session.query("LOCK TABLE pyroscope_blocks IN EXCLUSIVE MODE");
    const rows = await session.query(
      "SELECT id, meta, segment, damage, deleted_at IS NULL AS is_alive FROM pyroscope_blocks WHERE tenant = $1",
      [encodeText(tenant)],
    );
    const affected = rows.filter(({ id, meta }) =>
      parseBlockMeta(String(meta), `block ${String(id)} of the catalog`).services.includes(service),
    );
    const alive = affected.filter((row) => row.is_alive === true);
    await session.query(
      `UPDATE pyroscope_blocks SET needs_rewrite = true, hidden_services = array_append(hidden_services, $2),
 lease_token = nextval('pyroscope_lease_tokens'), lease_until = NULL WHERE id = ANY($1)`,
      [alive.map(({ id }) => String(id)), encodeText(service)],
    );
    const segments = affected.map(({ segment }) => segment).filter((segment) => segment !== null);
    // An object goes when none of its blocks is needed, of whatever tenant.
    await session.query(
      "UPDATE pyroscope_blocks SET needs_rewrite = true WHERE segment = ANY($1) AND deleted_at IS NULL",
      [segments.map(String)],
    );
    const damagedCount = alive.filter(({ damage }) => damage !== null).length;
    return { blockCount: alive.length - damagedCount, quarantinedBlockCount: damagedCount };
  });
}
