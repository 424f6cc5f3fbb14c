import { type Document, parseDocument } from "yaml";
import type { IngestLimits } from "../ingest/limits.ts";
import type { TenantQueryLimits } from "../query/query-service.ts";
import type { RuleLimits } from "../rules/rule-limits.ts";
import type { TenantRetention } from "../store/retention-rule.ts";
import { ingestLimitSettings, ruleLimitSettings, tenantQueryLimitSettings } from "./limit-settings.ts";
import type { Setting, SettingTable } from "./setting.ts";
import { duration, levelDurations, mebibytes } from "./setting-kinds.ts";

/** What one tenant has instead of the limits of the flags. */
export interface LimitOverrides {
  readonly ingest: Partial<IngestLimits>;
  readonly query: Partial<TenantQueryLimits>;
  readonly rules: Partial<RuleLimits>;
  readonly retention: TenantRetention;
}

/** How the value of one name is read, and where it goes. */
interface NamedLimit {
  readonly part: "ingest" | "query" | "rules" | "retention";
  readonly field: string;
  readonly expects: string;
  parse(raw: string): unknown;
}

const retention: NamedLimit = {
  part: "retention",
  field: "retentionMillis",
  expects: duration.expects,
  parse: (raw) => duration.parse(raw, noFiles),
};
const retentionLevels: NamedLimit = {
  part: "retention",
  field: "levelMillis",
  expects: levelDurations.expects,
  parse: (raw) => levelDurations.parse(raw, noFiles),
};
const exemplarsRetention: NamedLimit = {
  part: "retention",
  field: "spanMillis",
  expects: duration.expects,
  parse: (raw) => duration.parse(raw, noFiles),
};
const maxTenantBytes: NamedLimit = {
  part: "retention",
  field: "maxTenantBytes",
  expects: mebibytes.expects,
  parse: (raw) => mebibytes.parse(raw, noFiles),
};

/** Every name that means something here: the flags of limits with underscores, and what else Pyroscope calls retention. */
const namedLimits: ReadonlyMap<string, NamedLimit> = new Map([
  ...nameRows("ingest", ingestLimitSettings),
  ...nameRows("query", tenantQueryLimitSettings),
  ...nameRows("rules", ruleLimitSettings),
  ["retention_period", retention],
  ["compactor_blocks_retention_period", retention],
  ["retention_levels", retentionLevels],
  ["exemplars_retention", exemplarsRetention],
  ["tenant_storage_max_mb", maxTenantBytes],
]);

/**
 * Names of Pyroscope's limits that bound something which this server does not have. They are taken, so that a file that
 * works there works here.
 */
const namesWithoutMeaning: ReadonlySet<string> = new Set([
  "push_max_concurrency",
  "enforce_labels_order",
  "max_local_series_per_tenant",
  "max_query_parallelism",
  "split_queries_by_interval",
  "max_flamegraph_nodes_on_select_merge_profile",
  "max_async_query_concurrency",
  "query_analysis_enabled",
  "query_analysis_series_enabled",
  "query_sanitize_on_merge",
  "compactor_downsampler_enabled",
  "compactor_split_and_merge_shards",
  "compactor_split_and_merge_stage_size",
  "compactor_split_groups",
  "compactor_partial_block_deletion_delay",
  "ingestion_tenant_shard_size",
  "store_gateway_tenant_shard_size",
  "write_path",
  "enable_query_backend",
  "enable_query_backend_from",
]);

/**
 * Names of Pyroscope's limits that change what is stored, or how, and that this server does not have: with the value that
 * switches them off they are taken; with any other the file would promise what does not happen.
 */
const namesThatMustBeOff: ReadonlySet<string> = new Set([
  "ingestion_relabeling_default_rules_position",
  "sample_type_relabeling_rules",
  "distributor_usage_groups",
  "distributor_sampling",
  "distributor_aggregation_window",
  "distributor_aggregation_period",
  "keep_stripped_profiles",
  "include_stripped_profiles",
  "ingestion_limit",
  "ingestion_artificial_delay",
  "symbolizer",
]);

/** Nothing, nothing in it, or what it is by default. */
function isOff(value: unknown): boolean {
  if (value instanceof Map) return [...value.values()].every(isOff);
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || /^(?:|0[a-z]*|false|first)$/.test(String(value));
}

/**
 * Reads a file of overrides: `overrides:`, then for each tenant limits by name, as Pyroscope's runtime configuration.
 *
 * @throws Error that names the line, or the tenant, the limit, its value and what was expected. One bad value refuses
 * the whole file: half of a change is no change that anybody meant.
 */
export function parseOverrides(text: string): ReadonlyMap<string, LimitOverrides> {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message, { cause: error });
  const root = toValue(document);
  const overrides = readMap(readMap(root, "the file").get("overrides"), "overrides");
  return new Map(
    Array.from(overrides, ([tenant, limits]) => [String(tenant), readLimits(String(tenant), limits)]),
  );
}

function toValue(document: Document): unknown {
  try {
    // As Maps: a tenant may be called `__proto__`.
    return document.toJS({ mapAsMap: true, maxAliasCount: 100 });
  } catch (cause) {
    throw new Error(`the file: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function readMap(value: unknown, subject: string): ReadonlyMap<unknown, unknown> {
  if (value === undefined || value === null) return new Map();
  if (value instanceof Map) return value;
  throw new Error(`${subject}: expected names with values, got ${JSON.stringify(value)}`);
}

function readLimits(tenant: string, limits: unknown): LimitOverrides {
  const parts = { ingest: {}, query: {}, rules: {}, retention: {} } as Record<
    NamedLimit["part"],
    Record<string, unknown>
  >;
  for (const [key, value] of readMap(limits, `overrides.${tenant}`)) {
    const name = String(key);
    const subject = `overrides.${tenant}.${name}`;
    if (namesWithoutMeaning.has(name)) continue;
    if (namesThatMustBeOff.has(name)) {
      if (isOff(value)) continue;
      throw new Error(`${subject}=${show(value)}: this server does not have it: take it out`);
    }
    const limit = namedLimits.get(name);
    if (limit === undefined) throw new Error(`${subject}: there is no such limit`);
    // What is no single value is given as JSON, which is YAML.
    const parsed = parseLimit(limit, isScalar(value) ? String(value) : show(value), subject);
    if (parsed === undefined) throw new Error(`${subject}=${show(value)}: expected ${limit.expects}`);
    parts[limit.part][limit.field] = parsed;
  }
  return { ingest: parts.ingest, query: parts.query, rules: parts.rules, retention: parts.retention };
}

function parseLimit(limit: NamedLimit, raw: string, subject: string): unknown {
  try {
    return limit.parse(raw);
  } catch (cause) {
    throw new Error(`${subject}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** A value as JSON; maps as objects. */
function show(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Map ? Object.fromEntries(item as ReadonlyMap<string, unknown>) : item,
  );
}

function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function nameRows<Limits extends object>(
  part: NamedLimit["part"],
  table: SettingTable<Limits>,
): [string, NamedLimit][] {
  // The table is heterogeneous; each row is only ever used with its own value.
  const rows = Object.entries(table) as [string, Setting<unknown>][];
  return rows.map(([field, { flag, expects, parse }]) => [
    flag.replaceAll("-", "_"),
    { part, field, expects, parse: (raw) => parse(raw, noFiles) },
  ]);
}

function noFiles(): never {
  throw new Error("no files can be read here");
}
