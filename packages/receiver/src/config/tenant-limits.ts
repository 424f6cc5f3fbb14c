import type { ReceiverConfig } from "../config.ts";
import { AUTOMATIC_RATE, type IngestLimits } from "../ingest/limits.ts";
import type { TenantQueryLimits } from "../query/query-service.ts";
import type { RuleLimits } from "../rules/rule-limits.ts";
import type { LimitOverrides } from "./overrides.ts";

/** The limits that hold for a request, by its tenants. */
export interface TenantLimits {
  ingestOf(tenant: string): IngestLimits;
  /** Of several tenants: the smallest of each, 0 ("no limit") being the largest. */
  queryOf(tenants: readonly string[]): TenantQueryLimits;
  rulesOf(tenant: string): RuleLimits;
}

// What Pyroscope gives each tenant. One tenant alone has nobody to be protected from.
const MULTITENANT_BYTES_PER_SECOND = 4 * 1024 * 1024;

/** Joins the limits of the flags with the overrides that are in force when they are asked for. */
export function createTenantLimits(
  config: Pick<ReceiverConfig, "ingestLimits" | "queryLimits" | "ruleLimits" | "isMultitenancyEnabled">,
  overridesOf: (tenant: string) => LimitOverrides | undefined,
): TenantLimits {
  const automaticRate = config.isMultitenancyEnabled ? MULTITENANT_BYTES_PER_SECOND : 0;
  const queryOf = (tenant: string): TenantQueryLimits => ({
    ...config.queryLimits,
    ...overridesOf(tenant)?.query,
  });
  return {
    ingestOf(tenant) {
      const limits = { ...config.ingestLimits, ...overridesOf(tenant)?.ingest };
      const { rateBytesPerSecond } = limits;
      return rateBytesPerSecond === AUTOMATIC_RATE
        ? { ...limits, rateBytesPerSecond: automaticRate }
        : limits;
    },
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
