import { formatProfileType, type ProfileType, parseProfileType, parseSelector } from "@pyroscope-ts/protocol";
import type { TableName } from "../store/schema.ts";
import { levelOfStacks } from "./query-level.ts";
import type { SelectionQuery } from "./query-service.ts";
import { parseSampleIds, type SampleIds } from "./sample-ids.ts";
import type { ReadPlan } from "./snapshot-reader.ts";
import type { TimeRange } from "./time-range.ts";

/** A selection query, checked and taken apart. */
export interface Selection {
  readonly profileType: ProfileType;
  readonly sampleIds: SampleIds;
  /** Function names, root first; empty: every stack. */
  readonly callSite: readonly string[];
  readonly plan: ReadPlan;
}

/** @throws `ProtocolError` PROFILE_TYPE_INVALID or SELECTOR_INVALID, `ReceiverError` INVALID_ARGUMENT for a bad id. */
export function parseSelection(
  query: SelectionQuery,
  range: TimeRange | undefined,
  tables: readonly TableName[],
): Selection {
  const profileType = parseProfileType(query.profileType);
  const matchers = parseSelector(query.selector);
  return {
    profileType,
    sampleIds: parseSampleIds(query),
    callSite: query.callSite ?? [],
    // The sixth part of old clients (`:delta`) names the same type.
    plan: {
      ...{ tenants: query.tenants, range, matchers, profileType: formatProfileType(profileType), tables },
      level: levelOfStacks(query, range, matchers),
    },
  };
}
