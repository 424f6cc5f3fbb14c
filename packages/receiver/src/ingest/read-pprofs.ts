import { randomBytes } from "node:crypto";
import {
  APP_NAME_LABEL,
  decodeSpeedscope,
  decodeStacks,
  encodePprof,
  type FormatLimits,
  getLabel,
  type LabelSet,
  nameFunctionsByFile,
  PROFILE_NAME_LABEL,
  ProtocolError,
  resolveTextProfileType,
  restoreFunctionIds,
  SERVICE_NAME_LABEL,
  type StackFormat,
  type TextProfileType,
  underscoreSampleTypes,
} from "@pyroscope-ts/protocol";
import { decodePayload, refusePayload } from "./decode-payload.ts";
import { formatBytes } from "./format-bytes.ts";
import { toFormatLimits } from "./format-limits.ts";
import { inflatePayload } from "./inflate-payload.ts";
import type { IngestLimits } from "./limits.ts";
import type { PayloadFormat } from "./payload-format.ts";
import { PAYLOAD_HASH_BYTES } from "./payload-identity.ts";
import type { PushBatch, PushItem, PushItemRefused } from "./push-service.ts";
import { readJfrPprofs } from "./read-jfr-pprofs.ts";
import { readOtlpPprofs } from "./read-otlp-pprofs.ts";
import { Refusal, toRefused } from "./refusal.ts";

/** A pprof to admit. */
export type PprofItem = Omit<PushItem, "format">;

type TextFormat = Extract<PayloadFormat, { readonly kind: "stacks" | "speedscope" }>;
type SpyFormat = Extract<PayloadFormat, { readonly kind: "spy" }>;

/**
 * Gives the profiles of a batch as pprofs, one at a time: what comes in another format is converted here, so that the log
 * keeps pprofs alone, and a replay needs no other decoder.
 *
 * @returns a pprof that was not looked at yet, or why a part of an item is none.
 */
export function* readPprofs({ items, limits }: PushBatch): Generator<PprofItem | PushItemRefused> {
  for (const item of items) {
    const { format, ...pprof } = item;
    if (format === undefined) yield pprof;
    else if (format.kind === "otlp") yield* readOtlpPprofs(item, format.encoding, limits);
    else if (format.kind === "jfr") yield* readJfrPprofs(pprof, format, limits);
    else yield* readInflated(pprof, format, limits);
  }
}

function readInflated(
  item: PprofItem,
  format: TextFormat | SpyFormat,
  limits: IngestLimits,
): readonly (PprofItem | PushItemRefused)[] {
  const inflated = inflatePayload(
    item.payload,
    limits.maxProfileSizeBytes,
    (limitBytes) => `uncompressed profile payload size exceeds limit of ${formatBytes(limitBytes)}`,
  );
  if (inflated instanceof Refusal) {
    return [toRefused(inflated, { bytes: item.payload.length })];
  }
  const bytes = inflated.length;
  try {
    if (format.kind === "spy") return [fixSpy({ ...item, payload: inflated }, format, limits)];
    return format.kind === "stacks"
      ? [convertStacks({ ...item, payload: inflated }, format, toFormatLimits(limits))]
      : convertSpeedscope({ ...item, payload: inflated }, format, toFormatLimits(limits));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return [toRefused(refusePayload(error, item.labels), { bytes })];
  }
}

function convertStacks(
  item: PprofItem,
  request: TextFormat & { readonly format: StackFormat },
  limits: FormatLimits,
): PprofItem {
  const type = resolveTextProfileType(request.appName, request.sampleRateHz);
  const header = { ...type, ...toTimes(request) };
  return toTextItem(item, type, encodePprof(decodeStacks(request.format, item.payload, header, limits)));
}

function convertSpeedscope(item: PprofItem, request: TextFormat, limits: FormatLimits): readonly PprofItem[] {
  const { appName, sampleRateHz } = request;
  const header = { appName, sampleRateHz, ...toTimes(request) };
  return decodeSpeedscope(item.payload, header, limits).map(({ name, type, profile }) => {
    const labels = name === "" ? item.labels : [...item.labels, { name: "profile_name", value: name }];
    return toTextItem({ ...item, labels }, type, encodePprof(profile));
  });
}

function toTimes({ fromUnixNanos, untilUnixNanos }: TextFormat): {
  readonly timeUnixNanos: bigint;
  readonly durationNanos: bigint;
} {
  const durationNanos = untilUnixNanos - fromUnixNanos;
  return { timeUnixNanos: fromUnixNanos, durationNanos: durationNanos > 0n ? durationNanos : 0n };
}

function toTextItem(item: PprofItem, type: TextProfileType, payload: Uint8Array): PprofItem {
  return {
    ...item,
    labels: toSeriesLabels(item.labels, type),
    payload,
    // Times of these formats are whole seconds: two profiles of equal content in one second are two, and each request
    // counts. The log keeps the random name, so that a replay finds the same profile.
    payloadHash: randomBytes(PAYLOAD_HASH_BYTES),
  };
}

function toSeriesLabels(labels: LabelSet, { serviceName, profileName }: TextProfileType): LabelSet {
  const isServiceNamed = getLabel(labels, SERVICE_NAME_LABEL) !== undefined;
  const appLabel = isServiceNamed ? APP_NAME_LABEL : SERVICE_NAME_LABEL;
  const isAppNamed = getLabel(labels, appLabel) !== undefined;
  return [
    ...labels,
    ...(isAppNamed ? [] : [{ name: appLabel, value: serviceName }]),
    { name: PROFILE_NAME_LABEL, value: profileName },
  ];
}

function fixSpy(
  item: PprofItem,
  { fix, spyName }: SpyFormat,
  limits: IngestLimits,
): PprofItem | PushItemRefused {
  const { payload, labels } = item;
  const decoded = decodePayload(fix === "dotnet" ? restoreFunctionIds(payload) : payload, limits, labels);
  if (decoded instanceof Refusal) return toRefused(decoded, { bytes: payload.length });
  const { profile } = decoded;
  const fixed = fix === "dotnet" ? underscoreSampleTypes(profile) : nameFunctionsByFile(profile, spyName);
  return { ...item, payload: encodePprof(fixed) };
}
