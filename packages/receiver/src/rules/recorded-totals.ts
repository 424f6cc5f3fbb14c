import { ReceiverError } from "../errors.ts";
import { isShownLabel } from "./check-rule.ts";
import type { RecordedSeries, RecordingRule, RuleLabel } from "./recording-rule.ts";

/** Series of one rule, and of all rules of a process, that have their own labels. */
export interface SeriesLimits {
  readonly maxRuleSeries: number;
  readonly maxSeries: number;
}

/** As many as a scraper reads and a monitoring system holds without noticing. */
export const DEFAULT_SERIES_LIMITS: SeriesLimits = { maxRuleSeries: 1000, maxSeries: 10_000 };

/** Value of all labels of a rule's series that further series are counted in, as for series of profiles. */
const OVERFLOW = "__overflow__";

interface Total {
  /** A value for each label of `groupBy`. */
  readonly group: readonly string[];
  value: bigint;
  profiles: bigint;
}

interface RuleTotals {
  readonly rule: RecordingRule;
  readonly totals: Map<string, Total>;
}

interface TenantTotals {
  readonly rules: Map<string, RuleTotals>;
  /** Id of the newest block that is counted. */
  lastBlock: string;
}

/** What the file of a tenant's totals holds. */
export interface StoredTotals {
  readonly lastBlock: string;
  readonly rules: readonly {
    readonly id: string;
    readonly generation: number;
    /** Numbers as text: they may be above 2^53. */
    readonly totals: readonly (readonly [group: readonly string[], value: string, profiles: string])[];
  }[];
}

/** What recording rules have summed, in memory. */
export class RecordedTotals {
  readonly #limits: SeriesLimits;
  readonly #tenants = new Map<string, TenantTotals>();
  #count = 0;

  constructor(limits: SeriesLimits) {
    this.#limits = limits;
  }

  /** Makes a tenant's totals those of its rules: what a rule that is gone or has changed has summed goes. */
  sync(tenant: string, rules: readonly RecordingRule[]): void {
    const known = this.#tenants.get(tenant);
    if (known === undefined && rules.length === 0) return;
    const totals = known ?? { rules: new Map<string, RuleTotals>(), lastBlock: "" };
    const current = new Map(rules.map((rule) => [rule.id, rule]));
    for (const [id, { rule, totals: series }] of totals.rules) {
      if (current.get(id)?.generation === rule.generation) continue;
      totals.rules.delete(id);
      this.#count -= series.size;
    }
    for (const rule of rules) {
      if (!totals.rules.has(rule.id)) totals.rules.set(rule.id, { rule, totals: new Map() });
    }
    if (rules.length === 0) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, totals);
  }

  /** Tenants with rules. */
  tenants(): readonly string[] {
    return [...this.#tenants.keys()];
  }

  /** Id of the newest block of a tenant that is counted; empty: none is. */
  lastBlockOf(tenant: string): string {
    return this.#tenants.get(tenant)?.lastBlock ?? "";
  }

  /** Notes that a block of a tenant with rules is counted. */
  endBlock(tenant: string, blockId: string): void {
    const totals = this.#tenants.get(tenant);
    if (totals !== undefined && blockId > totals.lastBlock) totals.lastBlock = blockId;
  }

  /**
   * Adds to a series of a rule that {@link sync} has seen. Above a limit it is the rule's series `__overflow__`, so that
   * the sum over a rule's series is always whole.
   *
   * @throws {@link ReceiverError} RESOURCE_EXHAUSTED when there is no room for that either.
   */
  add(tenant: string, ruleId: string, group: readonly string[], value: bigint, profiles: bigint): void {
    const rule = this.#tenants.get(tenant)?.rules.get(ruleId);
    if (rule === undefined) return;
    const total = this.#seriesOf(rule, group);
    total.value += value;
    total.profiles += profiles;
  }

  /** Series of tenants. */
  series(tenants: readonly string[]): readonly RecordedSeries[] {
    return tenants.flatMap((tenant) =>
      [...(this.#tenants.get(tenant)?.rules.values() ?? [])].flatMap(({ rule, totals }) =>
        Array.from(totals.values(), ({ group, value, profiles }) => ({
          ...{ tenant, ruleId: rule.id, metricName: rule.metricName },
          ...{ labels: labelsOf(rule, group), value, profiles },
        })),
      ),
    );
  }

  /** What {@link restore} takes; undefined: the tenant has no rules. */
  store(tenant: string): StoredTotals | undefined {
    const totals = this.#tenants.get(tenant);
    if (totals === undefined) return undefined;
    const rules = Array.from(totals.rules.values(), ({ rule: { id, generation }, totals: series }) => ({
      id,
      generation,
      totals: Array.from(
        series.values(),
        ({ group, value, profiles }) => [group, String(value), String(profiles)] as const,
      ),
    }));
    return { lastBlock: totals.lastBlock, rules };
  }

  /** Puts back what an earlier process had, as far as its rules are still the same. */
  restore(tenant: string, rules: readonly RecordingRule[], stored: StoredTotals): void {
    this.sync(tenant, rules);
    for (const { id, generation, totals } of stored.rules) {
      if (rules.find((rule) => rule.id === id)?.generation !== generation) continue;
      for (const [group, value, profiles] of totals)
        this.add(tenant, id, group, BigInt(value), BigInt(profiles));
    }
    this.endBlock(tenant, stored.lastBlock);
  }

  #seriesOf({ rule, totals }: RuleTotals, group: readonly string[]): Total {
    const { maxRuleSeries, maxSeries } = this.#limits;
    const key = JSON.stringify(group);
    const known = totals.get(key);
    if (known !== undefined) return known;
    const overflow = group.map(() => OVERFLOW);
    const isFull = totals.size >= maxRuleSeries || this.#count >= maxSeries;
    const isOverflow = group.length > 0 && group.every((value) => value === OVERFLOW);
    if (isFull && group.length > 0 && !isOverflow) return this.#seriesOf({ rule, totals }, overflow);
    // Each rule may need one above the limit; rules of tenants without number may not.
    if (this.#count >= 2 * maxSeries) {
      throw new ReceiverError(
        `recording rule ${rule.id}: ${this.#count} series of recording rules, limit ${2 * maxSeries}`,
        { code: "RESOURCE_EXHAUSTED" },
      );
    }
    const total = { group, value: 0n, profiles: 0n };
    totals.set(key, total);
    this.#count++;
    return total;
  }
}

/** Labels that a rule's series shows beside those that every series has; the last of a name counts. */
function labelsOf(rule: RecordingRule, group: readonly string[]): readonly RuleLabel[] {
  const labels = new Map(rule.externalLabels.map(({ name, value }) => [name, value]));
  rule.groupBy.forEach((name, index) => {
    labels.set(name, group[index] ?? "");
  });
  // An empty label is one that is not there.
  return Array.from(labels, ([name, value]) => ({ name, value })).filter(
    ({ name, value }) => value !== "" && isShownLabel(name),
  );
}
