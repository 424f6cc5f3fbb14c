import { gzipSync } from "node:zlib";
import {
  decodeOtlp,
  encodePprof,
  type OtlpProfile,
  ProfileBuilder,
  ProtocolError,
} from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { formatSamples } from "../testing/format-samples.ts";
import type { ProfileUpload, UploadProfile } from "./exporter.ts";
import { encodeOtlpRequest, type ResourceAttributes } from "./otlp-request.ts";

const ID = "01234567-89ab-cdef-0123-456789abcdef";
const SPAN_ID = "0123456789abcdef";
const TRACE_ID = "0123456789abcdef0123456789abcdef";

interface ProfileInput {
  readonly name: UploadProfile["name"];
  readonly type: UploadProfile["type"];
  readonly unit?: string;
  readonly hasPeriod?: boolean;
  readonly labels?: readonly { readonly key: string; readonly text: string }[];
}

function buildUploadProfile({
  name,
  type,
  unit = "nanoseconds",
  hasPeriod = true,
  labels = [],
}: ProfileInput) {
  const sampleType = { type, unit };
  const builder = new ProfileBuilder({
    sampleTypes: [sampleType],
    timeUnixNanos: 1_772_366_400_000_000_123n,
    durationNanos: 15_000_000_000n,
    ...(hasPeriod ? { periodType: sampleType, period: 10_000_000n } : {}),
  });
  const file = { file: "/srv/app.js", startLine: 3 };
  const rows = ["work", "main"].map((fn) =>
    builder.location({
      lines: [{ function: builder.function({ name: fn, systemName: fn, ...file }), line: 7 }],
    }),
  );
  builder.addSample(rows, [2n ** 62n], labels);
  builder.addSample(rows.slice(1), [5n]);
  const raw = encodePprof(builder.build());
  return { name, type, id: ID, pprof: gzipSync(raw), rawBytes: raw.byteLength };
}

function exchange(
  profiles: readonly ProfileInput[],
  more: ResourceAttributes = [],
  labels: ProfileUpload["labels"] = [{ name: "service_name", value: "shop" }],
): readonly OtlpProfile[] {
  const times = { startUnixMs: 1, endUnixMs: 2 };
  const bytes = encodeOtlpRequest({ ...times, labels, profiles: profiles.map(buildUploadProfile) }, more);
  return Array.from(decodeOtlp(bytes), (profile) => {
    if (profile instanceof ProtocolError) throw profile;
    return profile;
  });
}

const labelsOf = (profile: OtlpProfile | undefined) =>
  Object.fromEntries(profile?.labels.map(({ name, value }) => [name, value]) ?? []);

describe("encodeOtlpRequest", () => {
  it("is read by a decoder of OTLP 1.10 with the same samples, times and ids", () => {
    const labels = [
      { key: "route", text: "/a" },
      { key: "span_id", text: SPAN_ID },
      { key: "trace_id", text: TRACE_ID },
    ];
    const [wall, ...others] = exchange([{ name: "wall", type: "wall", labels }]);

    expect(others).toEqual([]);
    expect(wall && formatSamples(wall.profile)).toEqual([
      "main 5",
      `main work {route=/a,span_id=${SPAN_ID},trace_id=${TRACE_ID}} ${2n ** 62n}`,
    ]);
    expect(wall?.profile).toMatchObject({
      timeUnixNanos: 1_772_366_400_000_000_123n,
      durationNanos: 15_000_000_000n,
      period: 10_000_000n,
      periodType: { type: "wall", unit: "nanoseconds" },
      sampleTypes: [{ type: "wall", unit: "nanoseconds" }],
    });
    const { functions, lines, strings } = wall?.profile ?? buildNothing();
    expect(Array.from(functions.file, (row) => strings[row])).toEqual(["/srv/app.js", "/srv/app.js"]);
    expect([...functions.startLine, ...lines.line]).toEqual([3n, 3n, 7n, 7n]);
    expect(Buffer.from(wall?.profileId ?? []).toString("hex")).toBe(ID.replaceAll("-", ""));
  });

  it("names a profile without a period by its own name, because servers name by the period", () => {
    const [gc] = exchange([{ name: "gc", type: "gc", hasPeriod: false }]);

    expect(labelsOf(gc).__name__).toBe("gc");
  });

  it("has the profiles of a window in one request, with one dictionary", () => {
    const profiles = exchange([
      { name: "process_cpu", type: "cpu" },
      { name: "wall", type: "wall" },
    ]);

    expect(profiles.map((profile) => labelsOf(profile).__name__)).toEqual(["cpu", "wall"]);
    expect(profiles.map(({ profile }) => formatSamples(profile))).toEqual([
      ["main 5", `main work ${2n ** 62n}`],
      ["main 5", `main work ${2n ** 62n}`],
    ]);
  });

  it("makes attributes of the resource of labels, under OpenTelemetry's names, and labels win", () => {
    const labels = [
      { name: "__session_id__", value: "abc" },
      { name: "otel.scope.name", value: "sdk" },
      { name: "region", value: "eu" },
      { name: "service_name", value: "shop" },
    ];
    const more = [
      ["region", "us"],
      ["zone", "b"],
      ["service_name", "twice"],
    ] as const;

    expect(labelsOf(exchange([{ name: "wall", type: "wall" }], more, labels)[0])).toEqual({
      __name__: "wall",
      __otel__: "true",
      "service.instance.id": "abc",
      "service.name": "shop",
      service_name: "shop",
      region: "eu",
      zone: "b",
    });
  });

  it("leaves attributes out that would be the 31st label of a series", () => {
    const more = Array.from({ length: 40 }, (_, i) => [`attribute${i}`, "x"] as const);
    const sample = [
      { key: "route", text: "/a" },
      { key: "span_id", text: SPAN_ID },
    ];
    const [wall] = exchange([{ name: "wall", type: "wall", labels: sample }], more);

    // 28 and the sample's one; `__delta__` of a Pyroscope is the 30th.
    expect(wall?.labels).toHaveLength(28);
  });
});

function buildNothing() {
  return new ProfileBuilder({ sampleTypes: [] }).build();
}
