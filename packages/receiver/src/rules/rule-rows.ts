import type { Clock } from "../clock.ts";
import { createBlockId } from "../store/filenames.ts";
import { decodeText, encodeText } from "../store/shared/block-row.ts";
import type { Postgres } from "../store/shared/postgres.ts";
import { placeRule, toNotFound } from "./place-rule.ts";
import type { RecordingRule, RuleRequest } from "./recording-rule.ts";
import type { RuleBook } from "./rule-book.ts";

/** Rules of tenants in the catalog that the processes of a deployment share. */
export class RuleRows implements RuleBook {
  readonly #postgres: Postgres;
  readonly #clock: Pick<Clock, "nowUnixMillis">;

  constructor(postgres: Postgres, clock: Pick<Clock, "nowUnixMillis">) {
    this.#postgres = postgres;
    this.#clock = clock;
  }

  async list(tenants: readonly string[]): Promise<ReadonlyMap<string, readonly RecordingRule[]>> {
    const rows = await this.#postgres.query(
      "SELECT tenant, rule FROM pyroscope_recording_rules WHERE tenant = ANY($1)",
      [tenants.map(encodeText)],
    );
    const found = new Map<string, RecordingRule[]>();
    for (const row of rows) {
      const tenant = decodeText(String(row.tenant));
      found.set(tenant, [...(found.get(tenant) ?? []), JSON.parse(String(row.rule)) as RecordingRule]);
    }
    return found;
  }

  async upsert(tenant: string, rule: RuleRequest, maxRuleCount: number): Promise<RecordingRule> {
    return await this.#postgres.transaction(async (session) => {
      // Changes of one tenant come one after the other.
      await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", [encodeText(tenant)]);
      const rows = await session.query("SELECT id, rule FROM pyroscope_recording_rules WHERE tenant = $1", [
        encodeText(tenant),
      ]);
      const row = rows.find(({ id }) => id === rule.id);
      const stored = row && (JSON.parse(String(row.rule)) as RecordingRule);
      const since = createBlockId(this.#clock.nowUnixMillis());
      const placed = placeRule(rule, stored, { ruleCount: rows.length, maxRuleCount, since });
      await session.query(
        `INSERT INTO pyroscope_recording_rules VALUES ($1, $2, $3)
 ON CONFLICT (tenant, id) DO UPDATE SET rule = excluded.rule`,
        [encodeText(tenant), placed.id, JSON.stringify(placed)],
      );
      return placed;
    });
  }

  async remove(tenant: string, id: string): Promise<void> {
    const rows = await this.#postgres.query(
      "DELETE FROM pyroscope_recording_rules WHERE tenant = $1 AND id = $2 RETURNING id",
      [encodeText(tenant), id],
    );
    if (rows.length === 0) throw toNotFound(id);
  }

  /** The same push can reach two processes, or one twice: whoever names its profiles first counts them. */
  async claim(tenant: string, profiles: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#postgres.query(
      `WITH claimed AS (
  INSERT INTO pyroscope_recorded_profiles (tenant, profile) SELECT $1, unnest($2::uuid[])
  ON CONFLICT DO NOTHING RETURNING profile
) SELECT profile::text FROM unnest($2::uuid[]) AS profile WHERE profile NOT IN (SELECT profile FROM claimed)`,
      [encodeText(tenant), profiles],
    );
    return rows.map(({ profile }) => String(profile));
  }
}
