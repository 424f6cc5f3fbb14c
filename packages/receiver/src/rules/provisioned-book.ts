import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { createBlockId } from "../store/filenames.ts";
import type { ProvisionedRules } from "./provisioned-rules.ts";
import type { RecordingRule, RuleRequest } from "./recording-rule.ts";
import type { RuleBook } from "./rule-book.ts";

/**
 * The rules of the configuration before those of a book. As in Pyroscope, one of the configuration takes the place of the
 * stored one of its id, which is back when the configuration lets go of it.
 */
export class ProvisionedBook implements Pick<RuleBook, "list" | "upsert" | "remove"> {
  readonly #book: RuleBook;
  readonly #clock: Pick<Clock, "nowUnixMillis">;
  #ofAll: readonly RecordingRule[] = [];
  #ofTenants: ReadonlyMap<string, readonly RecordingRule[]> = new Map();

  constructor(book: RuleBook, clock: Pick<Clock, "nowUnixMillis">) {
    this.#book = book;
    this.#clock = clock;
  }

  /** Takes the place of what stood in the configuration before. */
  provision({ ofAll, ofTenants }: ProvisionedRules): void {
    const since = createBlockId(this.#clock.nowUnixMillis());
    const place = (rule: RuleRequest): RecordingRule => ({ ...rule, isProvisioned: true, since });
    this.#ofAll = ofAll.map(place);
    this.#ofTenants = new Map(Array.from(ofTenants, ([tenant, rules]) => [tenant, rules.map(place)]));
  }

  async list(tenants: readonly string[]): Promise<ReadonlyMap<string, readonly RecordingRule[]>> {
    const stored = await this.#book.list(tenants);
    const found = new Map<string, readonly RecordingRule[]>();
    for (const tenant of tenants) {
      const provisioned = this.#provisionedOf(tenant);
      const others = (stored.get(tenant) ?? []).filter(
        ({ id }) => !provisioned.some((rule) => rule.id === id),
      );
      if (provisioned.length + others.length > 0) found.set(tenant, [...provisioned, ...others]);
    }
    return found;
  }

  /** @throws as the book, and {@link ReceiverError} INVALID_ARGUMENT for a rule of the configuration: it would never count. */
  async upsert(tenant: string, rule: RuleRequest, maxRuleCount: number): Promise<RecordingRule> {
    if (this.#isProvisioned(tenant, rule.id)) throw isProvisionedError(rule.id);
    return await this.#book.upsert(tenant, rule, maxRuleCount);
  }

  /** @throws as the book, and {@link ReceiverError} INVALID_ARGUMENT for a rule that only the configuration has. */
  async remove(tenant: string, id: string): Promise<void> {
    try {
      await this.#book.remove(tenant, id);
    } catch (error) {
      const isMissing = error instanceof ReceiverError && error.code === "NOT_FOUND";
      throw isMissing && this.#isProvisioned(tenant, id) ? isProvisionedError(id) : error;
    }
  }

  #provisionedOf(tenant: string): readonly RecordingRule[] {
    return this.#ofTenants.get(tenant) ?? this.#ofAll;
  }

  #isProvisioned(tenant: string, id: string): boolean {
    return this.#provisionedOf(tenant).some((rule) => rule.id === id);
  }
}

function isProvisionedError(id: string): ReceiverError {
  return new ReceiverError(
    `rule with id='${id}' stands in the configuration (recording_rules), and is changed and deleted there`,
    { code: "INVALID_ARGUMENT" },
  );
}
