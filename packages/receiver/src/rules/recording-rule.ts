/** A label of a metric. */
export interface RuleLabel {
  readonly name: string;
  readonly value: string;
}

/** Which profiles a metric sums, as someone asked for it. */
export interface RuleRequest {
  /** Empty: a new rule, which gets an id. */
  readonly id: string;
  readonly metricName: string;
  /** Selectors, all of which must hold. */
  readonly matchers: readonly string[];
  readonly groupBy: readonly string[];
  readonly externalLabels: readonly RuleLabel[];
  /** Only what was spent in this function and in what it called; empty: everything. */
  readonly functionName: string;
  /** That of the rule that is replaced, as it was read; 0 where there is none. */
  readonly generation: number;
}

/** A rule that counts. */
export interface RecordingRule extends RuleRequest {
  /** It stands in the configuration, and only there can it be changed. */
  readonly isProvisioned?: boolean;
  /** Block ids up to this one are older than the rule. */
  readonly since: string;
}

/** One series of a rule's metric. */
export interface RecordedSeries {
  readonly tenant: string;
  readonly ruleId: string;
  readonly metricName: string;
  readonly labels: readonly RuleLabel[];
  /** Sum of the values of profiles. */
  readonly value: bigint;
  /** How many profiles these are. */
  readonly profiles: bigint;
}
