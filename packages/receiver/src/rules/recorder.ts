import { compareUtf8 } from "@pyroscope-ts/protocol";
import type { Clock } from "../clock.ts";
import { coarseFilter, resolveFilter } from "../query/series-filter.ts";
import type { BlockMeta } from "../store/block-meta.ts";
import { type FlushedProfiles, type FlushObserver, withoutProfiles } from "../store/flushed-profiles.ts";
import type { Fs } from "../store/fs.ts";
import { PROFILE_TYPE_LABEL } from "../store/select-internal-labels.ts";
import { selectRecorded } from "../store/select-recorded.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { TenantFiles } from "../store/tenant-files.ts";
import { checkRule, parseRuleSelection } from "./check-rule.ts";
import { createRuleId } from "./place-rule.ts";
import { ProvisionedBook } from "./provisioned-book.ts";
import type { ProvisionedRules } from "./provisioned-rules.ts";
import {
  DEFAULT_SERIES_LIMITS,
  RecordedTotals,
  type SeriesLimits,
  type StoredTotals,
} from "./recorded-totals.ts";
import type { RecordingRule, RuleRequest } from "./recording-rule.ts";
import type { RuleBook } from "./rule-book.ts";
import type { Recorded, RulesService } from "./rules-service.ts";

/** What a {@link Recorder} works with. */
export interface RecorderOptions {
  /** Where rules are stored. */
  readonly book: RuleBook;
  /** Rules of the configuration when the process starts. */
  readonly provisioned?: ProvisionedRules;
  readonly clock: Pick<Clock, "nowUnixMillis">;
  /** Where sums outlive the process; undefined: they do not, as those of any counter of many processes. */
  readonly totals?: { readonly fs: Fs; readonly directory: string };
  readonly limits?: SeriesLimits;
  readonly log: (line: string) => void;
}

/** Applies recording rules to profiles when they become blocks: each profile counts once. */
export class Recorder implements RulesService, FlushObserver {
  readonly #book: ProvisionedBook;
  readonly #claim: RuleBook["claim"] | undefined;
  readonly #files: TenantFiles<StoredTotals> | undefined;
  readonly #totals: RecordedTotals;
  readonly #log: RecorderOptions["log"];
  /** Blocks that {@link findMissed} has found, until they are counted, with the ids of the rules that they are missing in. */
  readonly #missed = new Map<string, readonly string[]>();
  /** Blocks come one after the other, and no rule changes while one is counted. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  #failureCount = 0;

  constructor({ book, provisioned, clock, totals, limits = DEFAULT_SERIES_LIMITS, log }: RecorderOptions) {
    this.#book = new ProvisionedBook(book, clock);
    this.#claim = book.claim?.bind(book);
    if (provisioned !== undefined) this.#book.provision(provisioned);
    this.#files =
      totals && new TenantFiles({ ...totals, noun: "recorded sums", format: 1, parse: parseTotals });
    this.#totals = new RecordedTotals(limits);
    this.#log = log;
  }

  async provisionRules(rules: ProvisionedRules): Promise<void> {
    await this.#inTurn(async () => {
      this.#book.provision(rules);
      await this.#forgetGone(this.#totals.tenants());
    });
  }

  async listRules({ tenant }: { readonly tenant: string }): Promise<readonly RecordingRule[]> {
    const rules = (await this.#book.list([tenant])).get(tenant) ?? [];
    const rank = ({ isProvisioned }: RecordingRule) => (isProvisioned === true ? 0 : 1);
    return rules.toSorted((left, right) => rank(left) - rank(right) || compareUtf8(left.id, right.id));
  }

  async upsertRule({
    tenant,
    rule,
    maxRuleCount,
  }: {
    readonly tenant: string;
    readonly rule: RuleRequest;
    readonly maxRuleCount: number;
  }): Promise<RecordingRule> {
    // As in Pyroscope, blanks around a metric's name are nobody's intention.
    const trimmed = {
      ...rule,
      id: rule.id === "" ? createRuleId() : rule.id,
      metricName: rule.metricName.trim(),
    };
    checkRule(trimmed);
    return await this.#inTurn(() => this.#book.upsert(tenant, trimmed, maxRuleCount));
  }

  async deleteRule({ tenant, id }: { readonly tenant: string; readonly id: string }): Promise<void> {
    await this.#inTurn(async () => {
      await this.#book.remove(tenant, id);
      await this.#forgetGone(this.#totals.tenants().filter((counted) => counted === tenant));
    });
  }

  async recorded({ tenants }: { readonly tenants: readonly string[] }): Promise<Recorded> {
    const counted = this.#totals.tenants().filter((tenant) => tenants.includes(tenant));
    if (counted.length > 0) {
      // Another process may have changed them. While they cannot be read, what was counted is still true.
      const rules = await this.#book.list(counted).catch(() => undefined);
      if (rules !== undefined)
        for (const tenant of counted) this.#totals.sync(tenant, rules.get(tenant) ?? []);
    }
    return { series: this.#totals.series(counted), failureCount: this.#failureCount };
  }

  async findMissed(metas: readonly BlockMeta[]): Promise<readonly BlockMeta[]> {
    const recorded = (await this.#files?.tenants()) ?? [];
    const tenants = [...new Set([...metas.map(({ tenant }) => tenant), ...recorded])];
    const rules = await this.#book.list(tenants);
    const counting = new Map<string, StoredTotals["rules"]>();
    for (const tenant of tenants) {
      const ofTenant = rules.get(tenant) ?? [];
      this.#totals.sync(tenant, ofTenant);
      const stored = await this.#files?.read(tenant);
      if (stored === undefined) continue;
      this.#totals.restore(tenant, ofTenant, stored);
      counting.set(tenant, stored.rules);
      const isGone = stored.rules.some((known) => !ofTenant.some((rule) => isSame(known, rule)));
      if (isGone) await this.#save(tenant);
    }
    const missed = metas
      .filter(({ id, tenant }) => id > this.#totals.lastBlockOf(tenant))
      .toSorted((left, right) => compareUtf8(left.id, right.id));
    for (const { id, tenant } of missed) {
      const due = (rules.get(tenant) ?? []).filter(
        // A rule of the configuration is as old as its first count, not as this process.
        (rule) => id > rule.since || counting.get(tenant)?.some((known) => isSame(known, rule)),
      );
      if (due.length > 0)
        this.#missed.set(
          id,
          due.map((rule) => rule.id),
        );
    }
    return missed.filter(({ id }) => this.#missed.has(id));
  }

  async flushed(parts: readonly FlushedProfiles[]): Promise<void> {
    await this.#inTurn(async () => {
      try {
        const rules = await this.#book.list(parts.map(({ meta }) => meta.tenant));
        for (const part of parts) {
          const { tenant } = part.meta;
          this.#totals.sync(tenant, rules.get(tenant) ?? []);
          await this.#countBlock(part, rules.get(tenant) ?? []);
        }
      } catch (error) {
        this.#fail(`recording rules over ${parts.length} blocks`, error);
      }
    });
  }

  async #countBlock({ meta, snapshot }: FlushedProfiles, rules: readonly RecordingRule[]): Promise<void> {
    const { id, tenant } = meta;
    // A block of an earlier run: a rule that was made after it never counted it.
    const missing = this.#missed.get(id);
    const due = missing === undefined ? rules : rules.filter((rule) => missing.includes(rule.id));
    this.#missed.delete(id);
    if (due.length === 0) return;
    try {
      const counting = await this.#withoutRepeats(tenant, snapshot);
      for (const rule of due) await this.#countRule(rule, { meta, snapshot: counting });
    } catch (error) {
      this.#fail(`recording rules over block ${id}`, error);
    }
    this.#totals.endBlock(tenant, id);
    await this.#save(tenant);
  }

  async #withoutRepeats(tenant: string, snapshot: Snapshot): Promise<Snapshot> {
    if (this.#claim === undefined) return snapshot;
    const rows = await snapshot.database.select(`SELECT DISTINCT profile FROM ${snapshot.from("totals")}`);
    return withoutProfiles(snapshot, await this.#claim(tenant, rows.texts("profile")));
  }

  async #countRule(rule: RecordingRule, { meta, snapshot }: FlushedProfiles): Promise<void> {
    try {
      const { profileType, matchers } = parseRuleSelection(rule.matchers);
      const range = { fromUnixNanos: meta.minUnixNanos, untilUnixNanos: meta.maxUnixNanos };
      const coarse = coarseFilter(range, matchers, profileType);
      // The type itself is a part of the coarse filter.
      const others = matchers.filter(({ name }) => name !== PROFILE_TYPE_LABEL);
      const filter = await resolveFilter(snapshot, coarse, others, undefined);
      const { groupBy } = rule;
      const functionName = rule.functionName === "" ? undefined : rule.functionName;
      const rows = await selectRecorded(snapshot, { filter, groupBy, functionName });
      for (const { group, value, profiles } of rows) {
        this.#totals.add(meta.tenant, rule.id, group, value, profiles);
      }
    } catch (error) {
      this.#fail(`recording rule ${rule.id} over block ${meta.id}`, error);
    }
  }

  /** A rule that comes back under its id begins anew: while it was away nothing was counted. */
  async #forgetGone(tenants: readonly string[]): Promise<void> {
    // What cannot be listed now is seen with the next block.
    const current = await this.#book.list(tenants).catch(() => undefined);
    if (current === undefined) return;
    for (const tenant of tenants) {
      this.#totals.sync(tenant, current.get(tenant) ?? []);
      await this.#save(tenant);
    }
  }

  async #save(tenant: string): Promise<void> {
    try {
      await this.#files?.change(tenant, () => [this.#totals.store(tenant) ?? NOTHING_RECORDED, undefined]);
    } catch (error) {
      // They are whole again with the next block.
      this.#log(`recorded sums of a tenant are not saved: ${String(error)}`);
    }
  }

  #fail(subject: string, error: unknown): void {
    this.#failureCount++;
    this.#log(`${subject}: ${String(error)}`);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

const NOTHING_RECORDED: StoredTotals = { lastBlock: "", rules: [] };

function isSame(known: StoredTotals["rules"][number], { id, generation }: RecordingRule): boolean {
  return known.id === id && known.generation === generation;
}

function parseTotals(file: unknown): StoredTotals | undefined {
  const { lastBlock, rules } = file as { readonly lastBlock?: unknown; readonly rules?: unknown };
  // What is in it was written by this format's program.
  return typeof lastBlock === "string" && Array.isArray(rules) ? { lastBlock, rules } : undefined;
}
