import { ProtocolError } from "../errors.ts";
import { checkFormatLimit, DEFAULT_FORMAT_LIMITS, type FormatLimits } from "../formats/format-limits.ts";
import { PROFILE_NAME_LABEL, SERVICE_NAME_LABEL, UNKNOWN_SERVICE } from "../labels/label-names.ts";
import type { Label, LabelSet } from "../labels/label-set.ts";
import type { Profile } from "../profile/profile.ts";
import { type LabelInput, ProfileBuilder } from "../profile/profile-builder.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { readAttribute } from "./otlp-attribute.ts";
import { OtlpDictionary } from "./otlp-dictionary.ts";
import { type OtlpProfileHead, readProfileHead } from "./otlp-profile.ts";
import { type OtlpSample, readSample } from "./otlp-sample.ts";
import { type FrameBudget, flagMappings, OtlpSymbols } from "./otlp-symbols.ts";
import { type OtlpValueRule, resolveValueRule } from "./otlp-value-rule.ts";
import { lengthTag, type MessageRange, malformedOtlp, readMessage, readRange } from "./otlp-wire.ts";

const SERVICE_ATTRIBUTE = "service.name";
/** Limits of a request, not of a profile. */
const requestLimits: ReadonlySet<string> = new Set<keyof FormatLimits>([
  "maxRequestFrames",
  "maxRowBytes",
  "maxRequestProfiles",
]);

const EXECUTABLE_ATTRIBUTE = "process.executable.name";

/** A profile of an OTLP request, for one series. */
export interface OtlpProfile {
  /** `__otel__`, the attributes of the resource and the scope, `service_name` and `__name__`; not sorted, not checked. */
  readonly labels: LabelSet;
  /** Attributes of samples are labels of samples, and so are the ids of spans and traces. */
  readonly profile: Profile;
  /** What the client calls the profile: 16 bytes, or none. */
  readonly profileId: Uint8Array;
}

interface Context {
  readonly reader: ProtobufReader;
  readonly dictionary: OtlpDictionary;
  readonly limits: FormatLimits;
  readonly budget: FrameBudget;
}

/**
 * Decodes an OTLP `ExportProfilesServiceRequest` of proto 1.10, one profile at a time.
 *
 * A Profile becomes one profile for each service that its samples name. One that breaks a rule is yielded as its
 * error, and the others go on. Totals are exact; every index is checked; rows 0 are rows like any other.
 *
 * @param bytes - protobuf, decompressed.
 * @yields a profile, or {@link ProtocolError} `OTLP_MALFORMED`, `WIRE_MALFORMED`, `FORMAT_LIMIT` or `PROFILE_OVERFLOW`
 * in the place of one.
 * @throws {@link ProtocolError} `OTLP_MALFORMED`, `WIRE_MALFORMED` or `FORMAT_LIMIT` if the request itself cannot be read, or
 * is of no use to read on.
 *
 * Source: opentelemetry-proto 1.10 profiles/v1development, Pyroscope pkg/ingester/otlp.
 */
export function* decodeOtlp(
  bytes: Uint8Array,
  limits: FormatLimits = DEFAULT_FORMAT_LIMITS,
): Generator<OtlpProfile | ProtocolError> {
  const reader = new ProtobufReader(bytes);
  const request = readChildren({ reader, limits }, { start: 0, end: bytes.length }, [1, 2]);
  const [resources = [], dictionaries = []] = request;
  if (dictionaries.length === 0) throw malformedOtlp("missing profile metadata dictionary");
  if (resources.length === 0) throw malformedOtlp("missing resource profiles");
  const dictionary = new OtlpDictionary(bytes, dictionaries, limits);
  const context: Context = {
    reader,
    dictionary,
    limits,
    budget: { profileCount: 0, profileFrames: 0, requestFrames: 0 },
  };
  for (const resource of resources) yield* decodeResource(context, resource);
}

function* decodeResource(context: Context, range: MessageRange): Generator<OtlpProfile | ProtocolError> {
  const [resources = [], scopes = []] = readChildren(context, range, [1, 2]);
  const resourceLabels = resources.flatMap((resource) => readAttributes(context, resource, 1));
  for (const scope of scopes) {
    const [scopeHeads = [], profiles = []] = readChildren(context, scope, [1, 2]);
    const scopeLabels = scopeHeads.flatMap((head) => readAttributes(context, head, 3));
    const labels = firstOfEach([...resourceLabels, ...scopeLabels]);
    for (const profile of profiles) yield* decodeProfile(context, profile, labels);
  }
}

/** The attributes of a Resource or an InstrumentationScope that can be labels. */
function readAttributes(context: Context, range: MessageRange, field: number): readonly Label[] {
  const { reader, dictionary } = context;
  const [attributes = []] = readChildren(context, range, [field]);
  checkFormatLimit(context.limits, "maxAttributes", attributes.length);
  return attributes.flatMap((attribute) => {
    const { key, text = "" } = readAttribute(reader, attribute, "plain", (row) => dictionary.string(row));
    return key === "" || text === "" ? [] : [{ name: key, value: text }];
  });
}

function decodeProfile(
  context: Context,
  range: MessageRange,
  labels: readonly Label[],
): readonly (OtlpProfile | ProtocolError)[] {
  try {
    context.budget.profileFrames = 0;
    checkFormatLimit(context.limits, "maxRequestProfiles", ++context.budget.profileCount);
    const head = readProfileHead(context.reader, range, context.dictionary, context.limits);
    // An agent that had nothing to say sends an empty profile.
    if (head.samples.length === 0) return [];
    const rule = resolveValueRule(head);
    return Array.from(buildProfiles(context, head, rule), ([service, profile]) => ({
      labels: [
        { name: "__otel__", value: "true" },
        ...labels,
        { name: SERVICE_NAME_LABEL, value: service || resolveService(labels) },
        { name: PROFILE_NAME_LABEL, value: rule.profileName },
      ],
      profile,
      profileId: head.profileId,
    }));
  } catch (error) {
    // What all profiles of a request may cost together would stop each of the others as well.
    if (error instanceof ProtocolError && !requestLimits.has(error.limit?.name ?? "")) return [error];
    throw error;
  }
}

/** One profile for each service that samples name, by its name; "" is that of the resource. */
function buildProfiles(
  context: Context,
  head: OtlpProfileHead,
  rule: OtlpValueRule,
): ReadonlyMap<string, Profile> {
  const { reader, limits } = context;
  const { periodType, period, timeUnixNanos, durationNanos } = head;
  const services = new Map<string, { readonly builder: ProfileBuilder; readonly symbols: OtlpSymbols }>();
  let sampleCount = 0;
  for (const range of head.samples) {
    const sample = readSample(reader, range, limits);
    const { service, labels } = readSampleLabels(context, sample);
    let target = services.get(service);
    if (target === undefined) {
      const builder = new ProfileBuilder({
        sampleTypes: [rule.sampleType],
        periodType,
        period,
        timeUnixNanos,
        durationNanos,
      });
      target = { builder, symbols: new OtlpSymbols(builder, context.dictionary, context) };
      services.set(service, target);
    }
    const { builder, symbols } = target;
    sampleCount -= builder.sampleCount;
    builder.addSample(symbols.stack(sample.stackIndex), [rule.toValue(sample)], labels);
    sampleCount += builder.sampleCount;
    checkFormatLimit(limits, "maxSamples", sampleCount);
  }
  return new Map(Array.from(services, ([service, { builder }]) => [service, flagMappings(builder.build())]));
}

/** The labels of a sample, and the service that it belongs to if it names one. */
function readSampleLabels(
  { dictionary }: Context,
  { attributeIndices, linkIndex }: OtlpSample,
): { readonly service: string; readonly labels: readonly LabelInput[] } {
  const labels: LabelInput[] = [];
  let service = "";
  for (const index of attributeIndices) {
    const { key, text = "" } = dictionary.attribute(index);
    if (key === SERVICE_ATTRIBUTE) service ||= text;
    else if (key !== "" && text !== "") labels.push({ key, text });
  }
  if (linkIndex !== 0) {
    const { spanId, traceId } = dictionary.link(linkIndex);
    if (spanId !== "") labels.push({ key: "span_id", text: spanId });
    if (traceId !== "") labels.push({ key: "trace_id", text: traceId });
  }
  return { service, labels };
}

function resolveService(attributes: readonly Label[]): string {
  const textOf = (key: string): string => attributes.find(({ name }) => name === key)?.value ?? "";
  const executable = textOf(EXECUTABLE_ATTRIBUTE);
  const unknown = executable === "" ? UNKNOWN_SERVICE : `${UNKNOWN_SERVICE}:${executable}`;
  return textOf(SERVICE_ATTRIBUTE) || unknown;
}

function firstOfEach(labels: readonly Label[]): readonly Label[] {
  const names = new Set<string>();
  return labels.filter(({ name }) => !names.has(name) && names.add(name));
}

/** Where the messages of some fields lie in a message, for each field in the order given. */
function readChildren(
  { reader, limits }: Pick<Context, "reader" | "limits">,
  range: MessageRange,
  fields: readonly number[],
): readonly (readonly MessageRange[])[] {
  const children = fields.map((): MessageRange[] => []);
  readMessage(reader, range, (tag) => {
    const into = children[fields.findIndex((field) => lengthTag(field) === tag)];
    if (into === undefined) return false;
    checkFormatLimit(limits, "maxMessages", into.push(readRange(reader)));
    return true;
  });
  return children;
}
