import { describe, expect, it } from "vitest";
import {
  create,
  fromJson,
  googleV1,
  PushRequestSchema,
  QuerierService,
  SelectMergeStacktracesRequestSchema,
  SelectSeriesRequestSchema,
  SeriesResponseSchema,
  toBinary,
  toJson,
} from "./messages.ts";

/** `name=number` of each field, in the order of the numbers. */
function fieldNumbers(schema: {
  readonly fields: readonly { readonly name: string; readonly number: number }[];
}) {
  return schema.fields.map((field) => `${field.name}=${field.number}`).join(" ");
}

describe("PushRequest", () => {
  it("has the bytes that Pyroscope's clients send", () => {
    const request = create(PushRequestSchema, {
      series: [
        {
          labels: [{ name: "a", value: "b" }],
          samples: [{ rawProfile: Uint8Array.of(1, 2), ID: "i" }],
        },
      ],
    });

    // series=1 { labels=1 { name=1 "a", value=2 "b" }, samples=2 { raw_profile=1 01 02, ID=2 "i" } }
    expect([...toBinary(PushRequestSchema, request)]).toEqual([
      0x0a, 17, 0x0a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x62, 0x12, 7, 0x0a, 2, 1, 2, 0x12, 1, 0x69,
    ]);
  });

  it("has the JSON names that Pyroscope's clients send", () => {
    const json = {
      series: [{ labels: [{ name: "a", value: "b" }], samples: [{ rawProfile: "AQI=", ID: "i" }] }],
    };

    expect(toJson(PushRequestSchema, fromJson(PushRequestSchema, json))).toEqual(json);
  });
});

describe("QuerierService", () => {
  it("is found under the path that clients call", () => {
    expect(QuerierService.typeName).toBe("querier.v1.QuerierService");
    expect(QuerierService.methods.map((method) => method.name)).toEqual([
      "ProfileTypes",
      "LabelValues",
      "LabelNames",
      "Series",
      "SelectMergeStacktraces",
      "SelectMergeSpanProfile",
      "SelectMergeProfile",
      "SelectSeries",
      "SelectHeatmap",
      "Diff",
      "GetProfileStats",
      "AnalyzeQuery",
    ]);
  });

  it("numbers its fields as Pyroscope does", () => {
    expect(fieldNumbers(SelectMergeStacktracesRequestSchema)).toBe(
      "profile_typeID=1 label_selector=2 start=3 end=4 max_nodes=5 format=6 stack_trace_selector=7 " +
        "profile_id_selector=8 async=9 trace_id_selector=10 span_selector=11",
    );
    expect(fieldNumbers(SelectSeriesRequestSchema)).toBe(
      "profile_typeID=1 label_selector=2 start=3 end=4 group_by=5 step=6 aggregation=7 stack_trace_selector=8 " +
        "limit=9 exemplar_type=10",
    );
    expect(fieldNumbers(SeriesResponseSchema)).toBe("labels_set=2");
    expect(fieldNumbers(googleV1.ProfileSchema)).toBe(
      "sample_type=1 sample=2 mapping=3 location=4 function=5 string_table=6 drop_frames=7 keep_frames=8 " +
        "time_nanos=9 duration_nanos=10 period_type=11 period=12 comment=13 default_sample_type=14",
    );
  });

  it("accepts profile_typeID in both spellings, and int64 as a number or text", () => {
    const camel = fromJson(SelectSeriesRequestSchema, { profileTypeID: "x", start: "1", end: 2 });
    const snake = fromJson(SelectSeriesRequestSchema, { profile_typeID: "x", start: 1, end: "2" });

    expect(camel).toEqual(snake);
    expect(toJson(SelectSeriesRequestSchema, camel)).toEqual({ profileTypeID: "x", start: "1", end: "2" });
  });
});
