import {
  create,
  ExportProfilesServiceRequestSchema,
  googleV1,
  type MessageInitShape,
  type otlpProfilesV1development,
  toBinary,
  toJson,
} from "@pyroscope-ts/protocol/messages";
import type { WireAnswer, WireServer } from "./wire-row.ts";

/** When these tests began. */
export const NOW_MS: number = Date.now();
const NOW_NANOS = BigInt(NOW_MS) * 1_000_000n;

type ProfileInit = Exclude<MessageInitShape<typeof googleV1.ProfileSchema>, googleV1.Profile>;

/** Strings of {@link pprof}; those from 5 on are for rows to use. */
export const STRINGS: readonly string[] = ["", "cpu", "nanoseconds", "main", "work", "key", "text"];

/** A good profile of 5 nanoseconds in `main`, with some of its fields replaced. */
export function pprof(change: ProfileInit = {}): Uint8Array<ArrayBuffer> {
  const message = create(googleV1.ProfileSchema, {
    sampleType: [{ type: 1n, unit: 2n }],
    periodType: { type: 1n, unit: 2n },
    period: 1n,
    sample: [{ locationId: [1n], value: [5n] }],
    location: [{ id: 1n, line: [{ functionId: 1n }] }],
    function: [{ id: 1n, name: 3n }],
    stringTable: [...STRINGS],
    timeNanos: NOW_NANOS,
    ...change,
  });
  return new Uint8Array(toBinary(googleV1.ProfileSchema, message));
}

/** Labels of a series, by name. A list where a name stands twice. */
export type Labels = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];

/** What is pushed for `shop` unless a row says otherwise. */
export const SHOP: Readonly<Record<string, string>> = { __name__: "process_cpu", service_name: "shop" };

/** A push.v1 message in JSON. */
export function pushMessage(labels: Labels, ...profiles: readonly Uint8Array[]): object {
  const pairs = Array.isArray(labels)
    ? (labels as readonly (readonly [string, string])[])
    : Object.entries(labels);
  return {
    series: [
      {
        labels: pairs.map(([name, value]) => ({ name, value })),
        samples: profiles.map((profile) => ({
          rawProfile: Buffer.from(profile).toString("base64"),
          ID: "the-id",
        })),
      },
    ],
  };
}

export const PUSH = "push.v1.PusherService/Push";

/** Pushes profiles of one series. */
export function push(
  server: WireServer,
  labels: Labels,
  ...profiles: readonly Uint8Array[]
): Promise<WireAnswer> {
  return server.call(PUSH, pushMessage(labels, ...profiles));
}

/** Posts to `/ingest`. */
export function ingest(
  server: WireServer,
  parameters: Readonly<Record<string, string>>,
  body: string | Uint8Array<ArrayBuffer> | FormData,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> {
  return server.fetch(`/ingest?${new URLSearchParams(parameters)}`, { method: "POST", body, headers });
}

type OtlpProfileInit = Omit<
  MessageInitShape<typeof otlpProfilesV1development.ProfileSchema>,
  "$typeName" | "$unknown"
>;
type OtlpDictionaryInit = Omit<
  MessageInitShape<typeof otlpProfilesV1development.ProfilesDictionarySchema>,
  "$typeName" | "$unknown"
>;

/** What rows change of an OTLP request. */
interface OtlpChange {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly profile?: OtlpProfileInit;
  readonly dictionary?: OtlpDictionaryInit;
}

/** One OTLP profile of one sample in `main`. */
function otlpRequest({ attributes = {}, profile = {}, dictionary = {} }: OtlpChange = {}) {
  const pairs = Object.entries({ "service.name": "shop", ...attributes });
  return create(ExportProfilesServiceRequestSchema, {
    resourceProfiles: [
      {
        resource: {
          attributes: pairs.map(([key, value]) => ({
            key,
            value: { value: { case: "stringValue" as const, value } },
          })),
        },
        scopeProfiles: [
          {
            profiles: [
              {
                sampleType: { typeStrindex: 1, unitStrindex: 2 },
                periodType: { typeStrindex: 3, unitStrindex: 4 },
                period: 10n,
                timeUnixNano: NOW_NANOS,
                samples: [{ stackIndex: 0, values: [1n] }],
                ...profile,
              },
            ],
          },
        ],
      },
    ],
    dictionary: {
      stringTable: ["", "samples", "count", "cpu", "nanoseconds", "main"],
      mappingTable: [{}],
      functionTable: [{ nameStrindex: 5 }],
      locationTable: [{ lines: [{ functionIndex: 0 }] }],
      stackTable: [{ locationIndices: [0] }],
      linkTable: [{}],
      attributeTable: [{}],
      ...dictionary,
    },
  });
}

/** The same as protobuf. */
export function otlpBytes(change: OtlpChange = {}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(toBinary(ExportProfilesServiceRequestSchema, otlpRequest(change)));
}

/** The same as JSON. */
export function otlpJson(change: OtlpChange = {}): string {
  return JSON.stringify(toJson(ExportProfilesServiceRequestSchema, otlpRequest(change)));
}

/** Posts to OTLP's path, as protobuf unless `headers` say otherwise. */
export function otlp(
  server: WireServer,
  body: Uint8Array<ArrayBuffer> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> {
  return server.fetch("/v1development/profiles", {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", ...headers },
    body,
  });
}
