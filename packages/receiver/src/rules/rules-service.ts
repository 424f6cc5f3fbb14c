import type { ProvisionedRules } from "./provisioned-rules.ts";
import type { RecordedSeries, RecordingRule, RuleRequest } from "./recording-rule.ts";

/** Everything that rules have recorded here. */
export interface Recorded {
  readonly series: readonly RecordedSeries[];
  /** Evaluations of a rule over a block that failed since the start: the block is not in the rule's metric. */
  readonly failureCount: number;
}

/** The recording rules of tenants, as the storage worker serves them. What resolved is durable. */
export interface RulesService {
  /** Replaces the rules of the configuration. */
  provisionRules(rules: ProvisionedRules): Promise<void>;
  /** Rules of a tenant: those of the configuration, then its own, each in byte order of their ids. */
  listRules(query: { readonly tenant: string }): Promise<readonly RecordingRule[]>;
  /**
   * Adds a rule, or replaces the one of that id; it counts what becomes a block from now on.
   *
   * @param command.maxRuleCount - Rules that the tenant may have; 0: no limit.
   * @throws `ReceiverError` INVALID_ARGUMENT for a rule that cannot be used, CONFLICT when the stored one has another
   * generation, RESOURCE_EXHAUSTED when there are too many, STORAGE_UNAVAILABLE when the disk does not take it.
   */
  upsertRule(command: {
    readonly tenant: string;
    readonly rule: RuleRequest;
    readonly maxRuleCount: number;
  }): Promise<RecordingRule>;
  /** Removes a rule with its metric. @throws `ReceiverError` NOT_FOUND when there is none, and as {@link upsertRule}. */
  deleteRule(command: { readonly tenant: string; readonly id: string }): Promise<void>;
  /** What was recorded for tenants. */
  recorded(query: { readonly tenants: readonly string[] }): Promise<Recorded>;
}
