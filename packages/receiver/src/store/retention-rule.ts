import type { Level } from "./level.ts";

/** How long, and how much of it, profiles are kept. */
export interface RetentionRule {
  /** Age of the newest profile after which a block goes; 0: never. */
  readonly retentionMillis: number;
  /** The same for levels that have their own. */
  readonly levelMillis: Readonly<Partial<Record<Level, number>>>;
  /** Age of the newest profile after which a raw block loses the ids of spans and traces; 0: with its profiles. */
  readonly spanMillis: number;
  /** Bytes of a tenant's blocks above which its oldest go; 0: no limit. */
  readonly maxTenantBytes: number;
}

/** What one tenant has instead of the rule of all. */
export type TenantRetention = Partial<RetentionRule>;

/** The retention of a level of one tenant: its own for the level, its own, that of all for the level, that of all. */
export function retentionOf(rule: RetentionRule, tenant: TenantRetention | undefined, level: Level): number {
  return (
    tenant?.levelMillis?.[level] ?? tenant?.retentionMillis ?? rule.levelMillis[level] ?? rule.retentionMillis
  );
}

/** How a store's options say it. */
export interface RetentionSettings {
  readonly retentionMillis: number;
  readonly retentionLevels?: RetentionRule["levelMillis"];
  readonly spanRetentionMillis?: number;
  readonly maxTenantBytes?: number;
}

/** The rule of all tenants; what is absent is no limit. */
export function resolveRule(options: RetentionSettings): RetentionRule {
  return {
    retentionMillis: options.retentionMillis,
    levelMillis: options.retentionLevels ?? {},
    spanMillis: options.spanRetentionMillis ?? 0,
    maxTenantBytes: options.maxTenantBytes ?? 0,
  };
}
