import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ExportProfilesServiceRequestSchema } from "../gen/opentelemetry/proto/collector/profiles/v1development/profiles_service_pb.ts";

/** A request as protobuf-es takes it. */
export type OtlpRequestInit = MessageInitShape<typeof ExportProfilesServiceRequestSchema>;

/** A request, encoded by protobuf-es: another encoder than any of ours. */
export function encodeRequest(request: OtlpRequestInit): Uint8Array {
  return toBinary(ExportProfilesServiceRequestSchema, create(ExportProfilesServiceRequestSchema, request));
}

export const strings = [
  "",
  "samples",
  "count",
  "cpu",
  "nanoseconds",
  "off_cpu",
  "main",
  "handle",
  "main.c",
  "shop",
  "service.name",
  "thread.name",
  "process.executable.build_id.gnu",
] as const;

/** Row of a text in the string table of {@link dictionary}. */
export function str(text: (typeof strings)[number]): number {
  return strings.indexOf(text);
}

const text = (value: string) => ({ value: { value: { case: "stringValue" as const, value } } });

/** Two functions, two stacks (`main`, `main → handle`), five attributes and a link. */
export const dictionary = {
  stringTable: [...strings],
  mappingTable: [
    {},
    {
      memoryStart: 4096n,
      memoryLimit: 8192n,
      fileOffset: 16n,
      filenameStrindex: str("shop"),
      attributeIndices: [4],
    },
  ],
  functionTable: [
    {},
    {
      nameStrindex: str("main"),
      systemNameStrindex: str("main"),
      filenameStrindex: str("main.c"),
      startLine: 3n,
    },
    { nameStrindex: str("handle"), filenameStrindex: str("main.c") },
  ],
  locationTable: [
    {},
    { mappingIndex: 1, address: 4100n, lines: [{ functionIndex: 1, line: 7n }] },
    { mappingIndex: 1, address: 4200n, lines: [{ functionIndex: 2, line: 9n }] },
  ],
  stackTable: [{}, { locationIndices: [1] }, { locationIndices: [2, 1] }],
  attributeTable: [
    {},
    { keyStrindex: str("thread.name"), ...text("worker") },
    { keyStrindex: str("service.name"), ...text("sidecar") },
    {
      keyStrindex: str("thread.name"),
      value: { value: { case: "intValue" as const, value: 42n } },
    },
    { keyStrindex: str("process.executable.build_id.gnu"), ...text("1f8b") },
  ],
  linkTable: [{}, { traceId: new Uint8Array(16).fill(0xab), spanId: new Uint8Array(8).fill(0xcd) }],
} satisfies OtlpRequestInit["dictionary"];

const cpuCount = {
  sampleType: { typeStrindex: str("samples"), unitStrindex: str("count") },
  periodType: { typeStrindex: str("cpu"), unitStrindex: str("nanoseconds") },
  period: 50_000_000n,
  timeUnixNano: 1_772_366_400_000_000_000n,
  durationNano: 5_000_000_000n,
};

type ProfileInit = Partial<
  NonNullable<
    NonNullable<NonNullable<OtlpRequestInit["resourceProfiles"]>[number]["scopeProfiles"]>[number]["profiles"]
  >[number]
>;

/** A text attribute of a resource or a scope. */
export function attribute(key: string, value: string) {
  return { key, ...text(value) };
}

/** A request of one profile: counts of CPU samples at 20 Hz, of the service `shop`. */
export function requestOf(
  profile: ProfileInit,
  attributes: readonly ReturnType<typeof attribute>[] = [attribute("service.name", "shop")],
): OtlpRequestInit {
  const profiles = [{ ...cpuCount, ...profile } as NonNullable<ProfileInit>];
  return {
    dictionary,
    resourceProfiles: [{ resource: { attributes: [...attributes] }, scopeProfiles: [{ profiles }] }],
  } as OtlpRequestInit;
}

/** A request with some tables of the dictionary replaced. */
export function withTables(
  request: OtlpRequestInit,
  tables: Partial<NonNullable<OtlpRequestInit["dictionary"]>>,
): OtlpRequestInit {
  return { ...request, dictionary: { ...dictionary, ...tables } } as OtlpRequestInit;
}
