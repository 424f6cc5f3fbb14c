import { gunzipSync } from "node:zlib";
import { decodePprof, type Profile } from "@pyroscope-ts/protocol";
import { create, ExportProfilesServiceRequestSchema, toBinary } from "@pyroscope-ts/protocol/messages";
import { isIdLabel, type Label } from "../labels/label.ts";
import type { ProfileUpload, UploadProfile } from "./exporter.ts";
import { OtlpDictionaryBuilder } from "./otlp-dictionary.ts";

// Pyroscope's default max_label_names_per_series. It makes a label of each attribute of the resource, and adds
// `__name__`, `__otel__`, `__delta__` and `service_name`.
const MAX_SERIES_LABELS = 30;
const SERVER_LABELS = 4;

// Labels of the run that OTLP has a place or a name of its own for.
const SCOPE_NAME = "otel.scope.name";
const SCOPE_VERSION = "otel.scope.version";
const ATTRIBUTE_NAMES: ReadonlyMap<string, string> = new Map([
  ["service_name", "service.name"],
  ["__session_id__", "service.instance.id"],
]);

/** Attributes of a resource: names and texts. */
export type ResourceAttributes = readonly (readonly [string, string])[];

/**
 * The bytes of an `ExportProfilesServiceRequest` with the profiles of an upload.
 *
 * What a profile counts, and the period, are its own; a profile without a period has one of its name, because servers name
 * profiles by that. Labels of the run are attributes of the resource; `more` of them fill what is left of the labels that
 * a default server allows.
 */
export function encodeOtlpRequest(upload: ProfileUpload, more: ResourceAttributes): Uint8Array {
  const dictionary = new OtlpDictionaryBuilder();
  const decoded = upload.profiles.map((each) => ({ each, profile: decodePprof(gunzipSync(each.pprof)) }));
  const profiles = decoded.map(({ each, profile }) => convertProfile(dictionary, each, profile));
  const sampleLabels = decoded.reduce((most, { profile }) => Math.max(most, countLabelNames(profile)), 0);
  const attributes = createAttributes(upload.labels, more, MAX_SERIES_LABELS - SERVER_LABELS - sampleLabels);
  const request = create(ExportProfilesServiceRequestSchema, {
    resourceProfiles: [
      {
        resource: {
          attributes: attributes.map(([key, value]) => ({
            key,
            value: { value: { case: "stringValue" as const, value } },
          })),
        },
        scopeProfiles: [
          {
            scope: { name: labelOf(upload, SCOPE_NAME), version: labelOf(upload, SCOPE_VERSION) },
            profiles,
          },
        ],
      },
    ],
    dictionary: dictionary.build(),
  });
  return toBinary(ExportProfilesServiceRequestSchema, request);
}

function convertProfile(dictionary: OtlpDictionaryBuilder, { id, name }: UploadProfile, profile: Profile) {
  const { sampleTypes, periodType, period, samples } = profile;
  const [sampleType = { type: name, unit: "count" }] = sampleTypes;
  const hasPeriod = periodType !== undefined && periodType.type !== "" && period !== 0n;
  const known = hasPeriod ? periodType : { type: name, unit: sampleType.unit };
  const toRows = ({ type, unit }: { readonly type: string; readonly unit: string }) => ({
    typeStrindex: dictionary.string(type),
    unitStrindex: dictionary.string(unit),
  });
  return {
    sampleType: toRows(sampleType),
    samples: Array.from({ length: samples.length }, (_, row) => {
      const { stackIndex, attributeIndices, linkIndex } = dictionary.sample(profile, row);
      const values = [samples.values[row * sampleTypes.length] ?? 0n];
      return { stackIndex, attributeIndices: [...attributeIndices], linkIndex, values };
    }),
    timeUnixNano: profile.timeUnixNanos,
    durationNano: profile.durationNanos,
    periodType: toRows(known),
    period: hasPeriod ? period : 1n,
    profileId: Buffer.from(id.replaceAll("-", ""), "hex"),
  };
}

/** The most labels that one sample has, without the ids that become links. */
function countLabelNames({ samples, labels, strings }: Profile): number {
  let most = 0;
  for (let row = 0; row < samples.length; row++) {
    const keys = labels.key.subarray(samples.labelStart[row], samples.labelStart[row + 1]);
    most = Math.max(most, keys.filter((key) => !isIdLabel(strings[key] ?? "")).length);
  }
  return most;
}

function createAttributes(
  labels: readonly Label[],
  more: ResourceAttributes,
  maxCount: number,
): ResourceAttributes {
  const attributes = new Map<string, string>();
  for (const { name, value } of labels) {
    if (name !== SCOPE_NAME && name !== SCOPE_VERSION)
      attributes.set(ATTRIBUTE_NAMES.get(name) ?? name, value);
  }
  for (const [name, value] of more) {
    // A resource attribute of that name and the server's own label would be two of one name.
    if (name === "service_name" || attributes.has(name) || attributes.size >= maxCount) continue;
    attributes.set(name, value);
  }
  return [...attributes];
}

function labelOf({ labels }: ProfileUpload, name: string): string {
  return labels.find((label) => label.name === name)?.value ?? "";
}
