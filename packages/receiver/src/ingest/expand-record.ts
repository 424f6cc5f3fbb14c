import { fixGoProfile, type PprofWithHashes } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { AdmittedProfile } from "../store/admission.ts";
import { decodeAdmitted } from "./decode-payload.ts";
import { labelChecker } from "./final-labels.ts";
import { foldLabels } from "./fold-series.ts";
import { inflatePayload } from "./inflate-payload.ts";
import { identifyPayload, identifyProfile } from "./payload-identity.ts";
import { decodePushRecord, type PushRecordItem } from "./push-record.ts";
import { Refusal } from "./refusal.ts";
import { type SampleGroup, splitSamples } from "./split-samples.ts";

/**
 * Makes the profiles of a log record again, exactly as they were when the record was written: it decodes, and judges
 * nothing. Today's limits, clock and series count have no say.
 *
 * @throws {@link ReceiverError} `STORAGE_FORMAT` if the record is not one, is another tenant's, or does not
 * decode: admission decoded it once, so that a damaged record is the only reason.
 */
export function expandRecord(tenant: string, record: Uint8Array): readonly AdmittedProfile[] {
  const { tenant: recordTenant, items } = decodePushRecord(record);
  if (recordTenant !== tenant) {
    throw new ReceiverError(`log record of tenant ${tenant} names tenant ${recordTenant}`, {
      code: "STORAGE_FORMAT",
    });
  }
  return items.flatMap((item) => expandItem(tenant, item));
}

/** A decoded profile, with the hashes of its strings where they are known. */
export type DecodedProfile = Pick<AdmittedProfile, "profile" | "stringHashes">;

/** Sets right what Go's profilers get wrong. A profile of other strings has lost their hashes. */
export function fixDecoded({ profile, stringHashes }: PprofWithHashes): DecodedProfile {
  const fixed = fixGoProfile(profile);
  return { profile: fixed, stringHashes: fixed.strings === profile.strings ? stringHashes : undefined };
}

/** Joins what was decided about a payload with its decoded samples: the last step of admission and of replay. */
export function toAdmittedProfiles(
  tenant: string,
  item: PushRecordItem,
  { profile, stringHashes }: DecodedProfile,
  groups: readonly SampleGroup[],
): readonly AdmittedProfile[] {
  const payload = identifyPayload(item.timeUnixNanos, item.payloadHash);
  return groups.map(({ labels, sampleRows, spanIds, traceIds }) => ({
    labels,
    timeUnixNanos: item.timeUnixNanos,
    identity: identifyProfile(tenant, labels, payload),
    profile,
    stringHashes,
    sampleRows,
    spanIds,
    traceIds,
  }));
}

function expandItem(tenant: string, item: PushRecordItem): readonly AdmittedProfile[] {
  const inflated = inflatePayload(item.payload, 0, (limit) => `decompressed above ${limit} bytes`);
  if (inflated instanceof Refusal) throw damaged(inflated);
  const decoded = decodeAdmitted(inflated, item);
  const fixed = item.isGoFixed === true ? fixDecoded(decoded) : decoded;
  const checkLabels = labelChecker({
    maxLabelNamesPerSeries: 0,
    maxLabelNameBytes: 0,
    maxLabelValueBytes: 0,
    isLabelSanitizationDisabled: !item.isSanitized,
    relabelRules: item.relabelRules ?? "",
  });
  const { foldedSeries, labels } = item;
  const finishLabels =
    foldedSeries === undefined ? checkLabels : foldLabels(checkLabels, labels, foldedSeries);
  const groups = splitSamples(fixed.profile, labels, finishLabels);
  if (groups instanceof Refusal) throw damaged(groups);
  return toAdmittedProfiles(tenant, item, fixed, groups);
}

function damaged({ message }: Refusal): ReceiverError {
  return new ReceiverError(`expanding a log record: ${message}`, { code: "STORAGE_FORMAT" });
}
