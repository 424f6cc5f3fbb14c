import type { Clock } from "../clock.ts";
import { createBlockId } from "../store/filenames.ts";
import type { Fs } from "../store/fs.ts";
import { TenantFiles } from "../store/tenant-files.ts";
import { placeRule, toNotFound } from "./place-rule.ts";
import type { RecordingRule, RuleRequest } from "./recording-rule.ts";
import type { RuleBook } from "./rule-book.ts";

/** Options of {@link RuleFiles}. */
export interface RuleFilesOptions {
  readonly fs: Fs;
  readonly clock: Pick<Clock, "nowUnixMillis">;
  /** Made with the first rule. */
  readonly directory: string;
}

interface RulesFile {
  readonly rules: readonly RecordingRule[];
}

/** Rules of tenants in one small file each. */
export class RuleFiles implements RuleBook {
  readonly #files: TenantFiles<RulesFile>;
  readonly #clock: RuleFilesOptions["clock"];

  constructor({ fs, clock, directory }: RuleFilesOptions) {
    this.#clock = clock;
    this.#files = new TenantFiles({ fs, directory, noun: "recording rules", format: 1, parse: parseRules });
  }

  async list(tenants: readonly string[]): Promise<ReadonlyMap<string, readonly RecordingRule[]>> {
    const found = new Map<string, readonly RecordingRule[]>();
    for (const tenant of tenants) {
      const { rules = [] } = (await this.#files.read(tenant)) ?? {};
      if (rules.length > 0) found.set(tenant, rules);
    }
    return found;
  }

  async upsert(tenant: string, rule: RuleRequest, maxRuleCount: number): Promise<RecordingRule> {
    return await this.#files.change(tenant, ({ rules } = { rules: [] }) => {
      const stored = rules.find(({ id }) => id === rule.id);
      const since = createBlockId(this.#clock.nowUnixMillis());
      const placed = placeRule(rule, stored, { ruleCount: rules.length, maxRuleCount, since });
      return [{ rules: [...rules.filter((other) => other !== stored), placed] }, placed];
    });
  }

  async remove(tenant: string, id: string): Promise<void> {
    await this.#files.change(tenant, ({ rules } = { rules: [] }) => {
      const left = rules.filter((rule) => rule.id !== id);
      if (left.length === rules.length) throw toNotFound(id);
      return [{ rules: left }, undefined];
    });
  }
}

function parseRules(file: unknown): RulesFile | undefined {
  const { rules } = file as { readonly rules?: unknown };
  // What is in it was checked before it was written, by this format's program.
  return Array.isArray(rules) ? { rules } : undefined;
}
