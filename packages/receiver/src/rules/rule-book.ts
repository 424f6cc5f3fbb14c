import type { RecordingRule, RuleRequest } from "./recording-rule.ts";

/** Where the rules of tenants are kept. */
export interface RuleBook {
  /** Rules of each of the tenants that has any, in no order. */
  list(tenants: readonly string[]): Promise<ReadonlyMap<string, readonly RecordingRule[]>>;
  /** Stores what `placeRule` makes of a rule; one change of a tenant comes after the other. @throws as that. */
  upsert(tenant: string, rule: RuleRequest, maxRuleCount: number): Promise<RecordingRule>;
  /** @throws `ReceiverError` NOT_FOUND. */
  remove(tenant: string, id: string): Promise<void>;
  /**
   * Which of the profiles of a tenant, as UUIDs, have become a block before, maybe another process's, and must not count
   * again; absent: none ever has.
   */
  readonly claim?: (tenant: string, profiles: readonly string[]) => Promise<readonly string[]>;
}
