import type { ReceiverConfig } from "../config.ts";
import { AUTOMATIC_RATE, type IngestLimits } from "../ingest/limits.ts";
import type { TenantQueryLimits } from "../query/query-service.ts";
import { type ProvisionedRules, parseProvisionedRules } from "../rules/provisioned-rules.ts";
import type { RuleLimits } from "../rules/rule-limits.ts";
import type { TenantRetention } from "../store/retention-rule.ts";
import type { LimitOverrides } from "./overrides.ts";

/** The limits that hold for a request, by its tenants. */
export interface TenantLimits {
  ingestOf(tenant: string): IngestLimits;
  /** Of several tenants: the smallest of each, 0 ("no limit") being the largest. */
  queryOf(tenants: readonly string[]): TenantQueryLimits;
  rulesOf(tenant: string): RuleLimits;
  retentionOf(tenant: string): TenantRetention;
  /** What holds for a tenant that has no limits of its own. */
  readonly defaults: LimitOverrides;
  /** The limits of tenants that have their own. */
  readonly overrides: ReadonlyMap<string, LimitOverrides>;
}

// What Pyroscope gives each tenant. One tenant alone has nobody to be protected from.
const MULTITENANT_BYTES_PER_SECOND = 4 * 1024 * 1024;

/** The recording rules of the configuration: of the flag, and of the file of overrides. */
export function listProvisionedRules(
  { ruleLimits }: Pick<ReceiverConfig, "ruleLimits">,
  overrides: ReadonlyMap<string, LimitOverrides> | undefined,
): ProvisionedRules {
  const read = (text: string) => (text === "" ? [] : parseProvisionedRules(JSON.parse(text)));
  const ofTenants = new Map<string, ProvisionedRules["ofAll"]>();
  for (const [tenant, { rules }] of overrides ?? []) {
    if (rules.provisionedRules !== undefined) ofTenants.set(tenant, read(rules.provisionedRules));
  }
  return { ofAll: read(ruleLimits.provisionedRules), ofTenants };
}

type LimitConfig = Pick<
  ReceiverConfig,
  | "ingestLimits"
  | "queryLimits"
  | "ruleLimits"
  | "isMultitenancyEnabled"
  | "retentionMs"
  | "retentionLevels"
  | "exemplarsRetentionMs"
  | "tenantStorageMaxBytes"
>;

/** Joins the limits of the flags with the overrides that are in force when they are asked for. */
export function createTenantLimits(
  config: LimitConfig,
  readOverrides: () => ReadonlyMap<string, LimitOverrides> | undefined,
): TenantLimits {
  const overridesOf = (tenant: string): LimitOverrides | undefined => readOverrides()?.get(tenant);
  const automaticRate = config.isMultitenancyEnabled ? MULTITENANT_BYTES_PER_SECOND : 0;
  const queryOf = (tenant: string): TenantQueryLimits => ({
    ...config.queryLimits,
    ...overridesOf(tenant)?.query,
  });
  const withRate = (limits: IngestLimits): IngestLimits =>
    limits.rateBytesPerSecond === AUTOMATIC_RATE ? { ...limits, rateBytesPerSecond: automaticRate } : limits;
  const defaults: LimitOverrides = {
    ingest: withRate(config.ingestLimits),
    query: config.queryLimits,
    rules: config.ruleLimits,
    retention: {
      retentionMillis: config.retentionMs,
      levelMillis: config.retentionLevels,
      spanMillis: config.exemplarsRetentionMs,
      maxTenantBytes: config.tenantStorageMaxBytes,
    },
  };
  return {
    defaults,
    get overrides() {
      return readOverrides() ?? new Map();
    },
    ingestOf: (tenant) => withRate({ ...config.ingestLimits, ...overridesOf(tenant)?.ingest }),
    retentionOf: (tenant) => ({ ...defaults.retention, ...overridesOf(tenant)?.retention }),
    rulesOf: (tenant) => ({ ...config.ruleLimits, ...overridesOf(tenant)?.rules }),
    queryOf(tenants) {
      const all = tenants.map(queryOf);
      const smallest = (field: keyof TenantQueryLimits): number => {
        const bounded = all.map((limits) => limits[field]).filter((limit) => limit > 0);
        return bounded.length === 0 ? 0 : Math.min(...bounded);
      };
      return {
        maxQueryLengthMs: smallest("maxQueryLengthMs"),
        maxQueryLookbackMs: smallest("maxQueryLookbackMs"),
        maxFlamegraphNodesDefault: smallest("maxFlamegraphNodesDefault"),
        maxFlamegraphNodesMax: smallest("maxFlamegraphNodesMax"),
        maxQueryMemoryBytes: smallest("maxQueryMemoryBytes"),
      };
    },
  };
}
