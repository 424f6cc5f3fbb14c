/** What of recording rules a tenant can have its own of. */
export interface RuleLimits {
  /** Rules that it may make, beside those of the configuration. 0: no limit. */
  readonly maxRuleCount: number;
  /** Rules of the configuration, as `parseProvisionedRules` reads them, in JSON; "" for none. */
  readonly provisionedRules: string;
}

/** Source: Pyroscope, `max_recording_rules`. */
export const DEFAULT_RULE_LIMITS: RuleLimits = { maxRuleCount: 25, provisionedRules: "" };
