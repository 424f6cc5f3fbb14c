/** Limits of recording rules that a tenant can have its own of. */
export interface RuleLimits {
  /** 0: no limit. */
  readonly maxRuleCount: number;
}

/** Source: Pyroscope, `max_recording_rules`. */
export const DEFAULT_RULE_LIMITS: RuleLimits = { maxRuleCount: 25 };
