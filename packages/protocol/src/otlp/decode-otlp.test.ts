import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { formatLabels } from "../labels/label-set.ts";
import { encodePprof } from "../pprof/encode-pprof.ts";
import { buildTree } from "../profile/build-tree.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { profileToStackList } from "../profile/profile-stacks.ts";
import { totalValues } from "../profile/total-values.ts";
import { formatTree } from "../testing/format-tree.ts";
import { decodeOtlp, type OtlpProfile } from "./decode-otlp.ts";
import {
  attribute,
  dictionary,
  encodeRequest,
  type OtlpRequestInit,
  requestOf,
  str,
  withTables,
} from "./otlp-request.fixture.ts";

function decode(request: OtlpRequestInit): readonly OtlpProfile[] {
  return Array.from(decodeOtlp(encodeRequest(request)), (profile) => {
    if (profile instanceof ProtocolError) throw profile;
    return profile;
  });
}

function decodeOne(request: OtlpRequestInit): OtlpProfile {
  const [profile, ...others] = decode(request);
  expect(others).toEqual([]);
  if (profile === undefined) throw new Error("no profile");
  return profile;
}

const typeOf = ({ labels, profile: { sampleTypes, periodType } }: OtlpProfile) =>
  [
    labels.find(({ name }) => name === "__name__")?.value,
    sampleTypes[0]?.type,
    sampleTypes[0]?.unit,
    periodType?.type ?? "",
    periodType?.unit ?? "",
  ].join(":");

const total = ({ profile }: OtlpProfile) => totalValues(profile)[0];
const serviceOf = ({ labels }: OtlpProfile) => labels.find(({ name }) => name === "service_name")?.value;

/** Labels of samples as text, sample by sample. */
function sampleLabels({ profile: { samples, labels, strings } }: OtlpProfile): readonly string[] {
  return Array.from({ length: samples.length }, (_, row) => {
    const rows = Array.from(
      { length: (samples.labelStart[row + 1] ?? 0) - (samples.labelStart[row] ?? 0) },
      (_label, i) => (samples.labelStart[row] ?? 0) + i,
    );
    return rows.map((i) => `${strings[labels.key[i] ?? 0]}=${strings[labels.text[i] ?? 0]}`).join(" ");
  });
}

describe("decodeOtlp", () => {
  it("turns counts of CPU samples into CPU time", () => {
    const one = decodeOne(
      requestOf({
        samples: [
          { stackIndex: 1, values: [2n] },
          { stackIndex: 2, values: [3n] },
        ],
      }),
    );

    expect(typeOf(one)).toBe("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
    expect(total(one)).toBe(250_000_000n);
    expect(formatTree(buildTree(profileToStackList(one.profile, 0)))).toEqual(
      formatTree(
        buildTree(
          profileToStackList(
            decodeOne(
              requestOf({
                samples: [
                  { stackIndex: 2, values: [3n] },
                  { stackIndex: 1, values: [2n] },
                ],
              }),
            ).profile,
            0,
          ),
        ),
      ),
    );
    expect(one.profile).toMatchObject({
      period: 50_000_000n,
      timeUnixNanos: 1_772_366_400_000_000_000n,
      durationNanos: 5_000_000_000n,
    });
  });

  it("brings functions, lines, addresses and mappings over", () => {
    const { profile } = decodeOne(requestOf({ samples: [{ stackIndex: 2, values: [1n] }] }));
    const { strings, functions, locations, lines, mappings, samples } = profile;

    expect(Array.from(functions.name, (row) => strings[row])).toEqual(["handle", "main"]);
    expect(Array.from(functions.systemName, (row) => strings[row])).toEqual(["", "main"]);
    expect(Array.from(functions.file, (row) => strings[row])).toEqual(["main.c", "main.c"]);
    expect([...functions.startLine]).toEqual([0n, 3n]);
    expect([...locations.address]).toEqual([4200n, 4100n]);
    expect([...lines.line]).toEqual([9n, 7n]);
    expect([...samples.location]).toEqual([0, 1]);
    expect([mappings.start[0], mappings.limit[0], mappings.offset[0]]).toEqual([4096n, 8192n, 16n]);
    expect([strings[mappings.file[0] ?? 0], strings[mappings.buildId[0] ?? 0]]).toEqual(["shop", "1f8b"]);
    // Functions and lines, since every location has them.
    expect([...mappings.flags]).toEqual([5]);
    checkProfile(profile);
  });

  it("says of a mapping what holds for all of its locations", () => {
    const lacking = (locationTable: (typeof dictionary)["locationTable"]) => [
      ...decodeOne(withTables(requestOf({ samples: [{ stackIndex: 2, values: [1n] }] }), { locationTable }))
        .profile.mappings.flags,
    ];
    const [none, main] = dictionary.locationTable;
    if (none === undefined || main === undefined) throw new Error("fixture");

    expect(lacking([none, main, { mappingIndex: 1, address: 1n, lines: [] }])).toEqual([0]);
    expect(
      lacking([none, main, { mappingIndex: 1, address: 1n, lines: [{ functionIndex: 2, line: 0n }] }]),
    ).toEqual([1]);
  });

  it("takes rows 0 for rows like any other", () => {
    const one = decodeOne({
      dictionary: {
        stringTable: ["", "main", "cpu", "nanoseconds"],
        mappingTable: [{}],
        functionTable: [{ nameStrindex: 1 }],
        locationTable: [{ lines: [{ functionIndex: 0, line: 1n }] }],
        stackTable: [{ locationIndices: [0] }],
      },
      resourceProfiles: [
        {
          scopeProfiles: [
            {
              profiles: [
                {
                  sampleType: { typeStrindex: 2, unitStrindex: 3 },
                  periodType: { typeStrindex: 2, unitStrindex: 3 },
                  period: 1n,
                  samples: [{ values: [7n] }],
                },
              ],
            },
          ],
        },
      ],
    });

    expect(one.profile.strings[one.profile.functions.name[0] ?? 0]).toBe("main");
    expect(typeOf(one)).toBe("cpu:cpu:nanoseconds:cpu:nanoseconds");
    expect([total(one), serviceOf(one)]).toEqual([7n, "unknown_service"]);
    expect(one.profile.durationNanos).toBe(10_000_000_000n);
  });

  it("names off-CPU time, and sums the values of a sample", () => {
    const offCpu = { typeStrindex: str("off_cpu"), unitStrindex: str("nanoseconds") };
    const one = decodeOne(
      requestOf({
        sampleType: offCpu,
        periodType: {},
        period: 0n,
        samples: [{ stackIndex: 1, values: [2n, 3n] }],
      }),
    );

    expect(typeOf(one)).toBe("off_cpu:off_cpu:nanoseconds::");
    expect(total(one)).toBe(5n);
  });

  it("names everything else by its period type, and nothing without a period", () => {
    const cpu = { typeStrindex: str("cpu"), unitStrindex: str("nanoseconds") };
    const samples = [{ stackIndex: 1, values: [2n] }];

    expect(typeOf(decodeOne(requestOf({ sampleType: cpu, samples })))).toBe(
      "cpu:cpu:nanoseconds:cpu:nanoseconds",
    );
    expect(typeOf(decodeOne(requestOf({ sampleType: cpu, period: 0n, samples })))).toBe(":cpu:nanoseconds::");
  });

  it("counts timestamps where there are no values", () => {
    const one = decodeOne(requestOf({ samples: [{ stackIndex: 1, timestampsUnixNano: [1n, 2n, 3n] }] }));

    expect(total(one)).toBe(150_000_000n);
  });

  it("sums a value for each timestamp", () => {
    const one = decodeOne(
      requestOf({ samples: [{ stackIndex: 1, values: [1n, 2n], timestampsUnixNano: [1n, 2n] }] }),
    );

    expect(total(one)).toBe(150_000_000n);
  });

  it("makes labels of what samples say, and ids of their links", () => {
    const one = decodeOne(
      requestOf({
        samples: [
          { stackIndex: 1, values: [1n], attributeIndices: [1], linkIndex: 1 },
          { stackIndex: 1, values: [2n], attributeIndices: [3] },
          { stackIndex: 1, values: [4n] },
        ],
      }),
    );

    expect(sampleLabels(one)).toEqual([
      `thread.name=worker span_id=${"cd".repeat(8)} trace_id=${"ab".repeat(16)}`,
      "thread.name=42",
      "",
    ]);
    expect(total(one)).toBe(350_000_000n);
  });

  it("makes a profile for each service that samples name", () => {
    const profiles = decode(
      requestOf({
        samples: [
          { stackIndex: 1, values: [1n] },
          { stackIndex: 1, values: [2n], attributeIndices: [2, 1] },
          { stackIndex: 2, values: [4n] },
        ],
      }),
    );

    expect(profiles.map((profile) => [serviceOf(profile), total(profile), sampleLabels(profile)])).toEqual([
      ["shop", 250_000_000n, ["", ""]],
      ["sidecar", 100_000_000n, ["thread.name=worker"]],
    ]);
  });

  it("makes labels of attributes of the resource and the scope, the first of each key", () => {
    const value = (inner: object) => ({ value: inner });
    const request = requestOf({ samples: [{ stackIndex: 1, values: [1n] }] }, [
      attribute("service.name", "shop"),
      attribute("zone", "a"),
      attribute("empty", ""),
      attribute("zone", "b"),
    ]);
    const [resource] = request.resourceProfiles ?? [];
    const more = [
      { key: "pid", value: value({ case: "intValue", value: -7n }) },
      { key: "ratio", value: value({ case: "doubleValue", value: 0.5 }) },
      { key: "one", value: value({ case: "arrayValue", value: { values: [attribute("", "x").value] } }) },
      {
        key: "two",
        value: value({
          case: "arrayValue",
          value: { values: [attribute("", "x").value, attribute("", "y").value] },
        }),
      },
      { keyStrindex: str("thread.name"), value: value({ case: "stringValueStrindex", value: str("main") }) },
    ];
    const scoped = {
      ...request,
      resourceProfiles: [
        {
          resource: { attributes: [...(resource?.resource?.attributes ?? []), ...more] },
          scopeProfiles: [
            {
              scope: {
                name: "ebpf",
                version: "1",
                attributes: [attribute("zone", "c"), attribute("host", "h1")],
              },
              profiles: resource?.scopeProfiles?.[0]?.profiles ?? [],
            },
          ],
        },
      ],
    } as OtlpRequestInit;

    expect(formatLabels(decodeOne(scoped).labels)).toBe(
      '{__otel__="true", service.name="shop", zone="a", pid="-7", one="x", thread.name="main", host="h1", service_name="shop", __name__="process_cpu"}',
    );
  });

  it("names a service without a name by its executable", () => {
    const samples = [{ stackIndex: 1, values: [1n] }];

    expect(
      serviceOf(decodeOne(requestOf({ samples }, [attribute("process.executable.name", "nginx")]))),
    ).toBe("unknown_service:nginx");
    expect(serviceOf(decodeOne(requestOf({ samples }, [])))).toBe("unknown_service");
  });

  it("keeps the profile's id, and gives nothing for a profile without samples", () => {
    const profileId = new Uint8Array(16).fill(7);

    expect(decodeOne(requestOf({ profileId, samples: [{ stackIndex: 1, values: [1n] }] })).profileId).toEqual(
      profileId,
    );
    expect(decode(requestOf({ samples: [] }))).toEqual([]);
  });

  it("gives the same bytes for the same request", () => {
    const request = requestOf({ samples: [{ stackIndex: 2, values: [3n], attributeIndices: [1] }] });

    expect(encodePprof(decodeOne(request).profile)).toEqual(encodePprof(decodeOne(request).profile));
  });
});
