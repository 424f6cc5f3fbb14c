import { randomBytes } from "node:crypto";
import { ReceiverError } from "../errors.ts";
import type { RecordingRule, RuleRequest } from "./recording-rule.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const ID_LENGTH = 10;

/**
 * An id for a rule that has none: ten letters, as Pyroscope's.
 *
 * @param seed - At least ten bytes that decide it; random ones by default.
 */
export function createRuleId(seed: Uint8Array = randomBytes(ID_LENGTH)): string {
  return Array.from(seed.subarray(0, ID_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/**
 * Decides what is stored of a rule that someone wants to have among others.
 *
 * @param stored - The one of that id; undefined: there is none.
 * @param ruleCount - How many the tenant has.
 * @throws {@link ReceiverError} CONFLICT when the stored one has changed since it was read, RESOURCE_EXHAUSTED when there
 * are too many.
 */
export function placeRule(
  rule: RuleRequest,
  stored: RecordingRule | undefined,
  { ruleCount, maxRuleCount, since }: { ruleCount: number; maxRuleCount: number; since: string },
): RecordingRule {
  if (stored !== undefined && stored.generation !== rule.generation) {
    throw new ReceiverError(
      `conflicting update, please try again: rule ${rule.id} of generation ${rule.generation}, stored is ${stored.generation}`,
      { code: "CONFLICT" },
    );
  }
  if (stored === undefined && maxRuleCount > 0 && ruleCount >= maxRuleCount) {
    throw new ReceiverError(
      `adding recording rule ${JSON.stringify(rule.metricName)}: ${ruleCount} rules, limit ${maxRuleCount} (max_recording_rules)`,
      { code: "RESOURCE_EXHAUSTED" },
    );
  }
  return { ...rule, generation: (stored?.generation ?? 0) + 1, since };
}

/** @throws {@link ReceiverError} NOT_FOUND. */
export function toNotFound(id: string): ReceiverError {
  return new ReceiverError(`no rule with id='${id}' found`, { code: "NOT_FOUND" });
}
