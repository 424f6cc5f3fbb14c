import { ReceiverError } from "../../errors.ts";
import type { Postgres } from "./postgres.ts";

/** What each version of the schema adds to the one before it. Never changed once released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE pyroscope_blocks (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  min_unix_nanos bigint NOT NULL,
  max_unix_nanos bigint NOT NULL,
  -- The block's meta.json.
  meta text NOT NULL,
  -- The object that the block's files lie in one after the other, and where they begin; NULL: each is an object.
  segment text,
  segment_offset bigint,
  -- Why the block cannot be read; such a one is no part of answers, and they say so.
  damage text,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Since when it is no part of answers: its objects go a while later.
  deleted_at timestamptz,
  -- Who has the newest token may replace the block, until then.
  lease_token bigint NOT NULL DEFAULT 0,
  lease_until timestamptz
);
CREATE INDEX pyroscope_blocks_alive ON pyroscope_blocks (tenant) WHERE deleted_at IS NULL;
CREATE INDEX pyroscope_blocks_dead ON pyroscope_blocks (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX pyroscope_blocks_segment ON pyroscope_blocks (segment) WHERE segment IS NOT NULL;
CREATE SEQUENCE pyroscope_lease_tokens;
CREATE TABLE pyroscope_jobs (
  name text PRIMARY KEY,
  token bigint NOT NULL DEFAULT 0,
  lease_until timestamptz
);
INSERT INTO pyroscope_jobs (name) VALUES ('retention');
CREATE TABLE pyroscope_settings (
  tenant text NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  modified_unix_millis bigint NOT NULL,
  PRIMARY KEY (tenant, name)
)`,
  `ALTER TABLE pyroscope_blocks
  -- Whether the block has to be written again, because what was deleted is in its files or in an object that it shares.
  ADD COLUMN needs_rewrite boolean NOT NULL DEFAULT false,
  -- Services that were deleted: no answer may have them.
  ADD COLUMN hidden_services text[] NOT NULL DEFAULT '{}'`,
  `-- Objects that no row names, and since when that is known: most are on their way to be committed.
CREATE TABLE pyroscope_strays (
  key text PRIMARY KEY,
  seen_at timestamptz NOT NULL DEFAULT now()
)`,
  `CREATE TABLE pyroscope_recording_rules (
  tenant text NOT NULL,
  id text NOT NULL,
  -- The rule as JSON.
  rule text NOT NULL,
  PRIMARY KEY (tenant, id)
);
-- Profiles that recording rules have seen, for as long as they may come again.
CREATE TABLE pyroscope_recorded_profiles (
  tenant text NOT NULL,
  profile uuid NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, profile)
);
CREATE INDEX pyroscope_recorded_profiles_seen ON pyroscope_recorded_profiles (seen_at)`,
];

// Any number that nobody else locks in the same database: "pyro" in ASCII.
const LOCK = 0x7079726f;

/**
 * Brings the database to this program's version of the schema; of several processes one does it.
 *
 * @throws {@link ReceiverError} STORAGE_FORMAT when it is of a newer version: it is left as it is.
 */
export async function migrate(postgres: Postgres): Promise<void> {
  await postgres.transaction(async (session) => {
    await session.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await session.query("CREATE TABLE IF NOT EXISTS pyroscope_schema (version integer PRIMARY KEY)");
    const [row] = await session.query("SELECT max(version) AS version FROM pyroscope_schema");
    const version = Number(row?.version ?? 0);
    if (version > MIGRATIONS.length) {
      throw new ReceiverError(
        `open the catalog: its schema has version ${version}, this program knows up to ${MIGRATIONS.length}; it is left as it is`,
        { code: "STORAGE_FORMAT" },
      );
    }
    for (let next = version; next < MIGRATIONS.length; next++) {
      await session.query(MIGRATIONS[next]!);
      await session.query("INSERT INTO pyroscope_schema VALUES ($1)", [next + 1]);
    }
  });
}
