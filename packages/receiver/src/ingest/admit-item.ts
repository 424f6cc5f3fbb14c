import { getLabel, PROFILE_NAME_LABEL, profileName } from "@pyroscope-ts/protocol";
import type { AdmittedProfile } from "../store/admission.ts";
import { checkAdmissible } from "./check-admissible.ts";
import { decodePayload } from "./decode-payload.ts";
import { type DecodedProfile, fixDecoded, toAdmittedProfiles } from "./expand-record.ts";
import { labelChecker } from "./final-labels.ts";
import { foldLabels } from "./fold-series.ts";
import { formatBytes } from "./format-bytes.ts";
import { inflatePayload } from "./inflate-payload.ts";
import { hashPayload } from "./payload-identity.ts";
import { checkIngestionWindow, resolveProfileTime } from "./profile-time.ts";
import type { PushRecordItem } from "./push-record.ts";
import type { PushBatch, PushItemRefused } from "./push-service.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { PprofItem } from "./read-pprofs.ts";
import { Refusal, toRefused } from "./refusal.ts";
import { resolveSeriesLabels } from "./series-labels.ts";
import { splitSamples } from "./split-samples.ts";

/** An item that may be stored, with everything decided about it. */
export interface AdmittedItem {
  readonly ok: true;
  readonly record: PushRecordItem;
  /** One for each series that its samples belong to; none if every sample is zero. */
  readonly profiles: readonly AdmittedProfile[];
  /** Size after decompression. */
  readonly bytes: number;
  /** Label names that were made classic ones, in all its series. */
  readonly renamedLabelCount: number;
  /** Series of it that relabeling rules dropped. */
  readonly droppedSeriesCount: number;
}

/**
 * Decides about one item by itself: decompresses, decodes, checks in the order of Pyroscope, labels and splits.
 *
 * @param batchBytes - decompressed size of the items of the batch before this one.
 * @param rates - what is left to the tenant; profiles that turn out to be malformed count too.
 */
export function admitItem(
  batch: PushBatch,
  item: PprofItem,
  batchBytes: number,
  rates: RateLimiter,
): AdmittedItem | PushItemRefused {
  const { limits } = batch;
  const inflated = inflatePayload(item.payload, limits.maxProfileSizeBytes, sizeLimitText(item));
  if (inflated instanceof Refusal) {
    return toRefused(inflated, { bytes: item.payload.length });
  }
  const bytes = inflated.length;
  if (limits.bodyLimitBytes > 0 && batchBytes + bytes > limits.bodyLimitBytes) {
    const limit = formatBytes(limits.bodyLimitBytes);
    const message = `uncompressed batched profile payload size exceeds limit of ${limit}`;
    return toRefused(new Refusal("body_size_limit_exceeded", message), { bytes });
  }
  const tooFast = rates.take(batch.tenant, bytes, limits);
  if (tooFast !== undefined) return toRefused(tooFast, { bytes });
  const decoded = decodePayload(inflated, limits, resolveSeriesLabels(item.labels));
  if (decoded instanceof Refusal) return toRefused(decoded, { bytes });
  const admitted = admitProfile(batch, item, fixDecoded(decoded), inflated);
  return admitted instanceof Refusal ? toRefused(admitted, { bytes }) : { ok: true, ...admitted, bytes };
}

function admitProfile(
  batch: PushBatch,
  { labels: sentLabels, payload, payloadHash, ingest }: PprofItem,
  decoded: DecodedProfile,
  inflated: Uint8Array,
): Pick<AdmittedItem, "record" | "profiles" | "renamedLabelCount" | "droppedSeriesCount"> | Refusal {
  const { limits, receivedUnixMillis } = batch;
  const { profile } = decoded;
  const sampleTypes = profile.sampleTypes.map(({ type }) => type);
  const derivedName = ingest && profileName(sampleTypes, ingest.sampleTypeConfig);
  const labels = resolveSeriesLabels(sentLabels, derivedName, limits.maxSessionsPerSeries);
  const timeUnixNanos = resolveProfileTime(profile.timeUnixNanos, {
    receivedUnixMillis,
    fromUnixNanos: ingest?.fromUnixNanos,
  });
  const refusal =
    checkIngestionWindow(timeUnixNanos, receivedUnixMillis, limits, labels) ??
    checkAdmissible(profile, getLabel(labels, PROFILE_NAME_LABEL) ?? "");
  if (refusal !== undefined) return refusal;
  let renamedLabelCount = 0;
  let droppedSeriesCount = 0;
  const finishLabels = labelChecker(limits, {
    onRenamed: (count) => {
      renamedLabelCount += count;
    },
    onDropped: () => {
      droppedSeriesCount++;
    },
  });
  const groups = splitSamples(profile, labels, finishLabels);
  if (groups instanceof Refusal) return groups;
  const record: PushRecordItem = {
    labels,
    timeUnixNanos,
    payloadHash: payloadHash ?? hashPayload(inflated),
    maxDepth: limits.maxDepth,
    maxSymbolBytes: limits.maxSymbolBytes,
    isSanitized: !limits.isLabelSanitizationDisabled,
    isGoFixed: true,
    ...(limits.relabelRules !== "" && { relabelRules: limits.relabelRules }),
    payload,
  };
  return {
    record,
    profiles: toAdmittedProfiles(batch.tenant, record, decoded, groups),
    renamedLabelCount,
    droppedSeriesCount,
  };
}

/**
 * The same item, with some of its series folded into one.
 *
 * @param foldedSeries - hashes of their label sets.
 */
export function foldItem(
  { tenant, limits }: PushBatch,
  item: AdmittedItem,
  foldedSeries: BigUint64Array,
): AdmittedItem | PushItemRefused {
  const { record, profiles, bytes } = item;
  const [first] = profiles;
  if (first === undefined) return item;
  const finishLabels = foldLabels(labelChecker(limits), record.labels, foldedSeries);
  const groups = splitSamples(first.profile, record.labels, finishLabels);
  if (groups instanceof Refusal) return toRefused(groups, { bytes });
  const folded = { ...record, foldedSeries };
  return {
    ...item,
    record: folded,
    profiles: toAdmittedProfiles(tenant, folded, first, groups),
  };
}

/** The two write endpoints word the same limit differently. */
function sizeLimitText({ ingest }: PprofItem): (limitBytes: number) => string {
  return (limitBytes) =>
    ingest === undefined
      ? `uncompressed profile payload size exceeds limit of ${formatBytes(limitBytes)}`
      : `decompressed size exceeds maximum allowed size of ${limitBytes} bytes`;
}
