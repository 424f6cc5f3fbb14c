import { ok, pushShop, query, RANGE, refused, SELECTION } from "./query-request.ts";
import type { WireRow } from "./wire-row.ts";

const HEATMAP = { ...SELECTION, step: 15, queryType: "HEATMAP_QUERY_TYPE_INDIVIDUAL" };

/** `querier.v1`: series, heat maps, differences and what is there at all. */
export const seriesRows: readonly WireRow[] = [
  {
    row: "3.8 a step below 1 ms",
    call: query("SelectSeries", { ...SELECTION, step: 0.0005 }),
    ...refused("step must be >= 1ms"),
  },
  { row: "3.8 no step", call: query("SelectSeries", SELECTION), ...refused("step must be >= 1ms") },
  {
    row: "3.8 nothing found: no series",
    call: query("SelectSeries", { ...SELECTION, step: 15 }),
    ...ok("{}"),
  },
  {
    row: "3.8 exemplars of spans",
    call: query("SelectSeries", { ...SELECTION, step: 15, exemplarType: "EXEMPLAR_TYPE_SPAN" }),
    status: 501,
    code: "unimplemented",
    text: "exemplar type span is not implemented",
  },
  {
    row: "3.9 a step below 1 ms",
    call: query("SelectHeatmap", { ...HEATMAP, step: 0.0005 }),
    ...refused("step must be >= 1ms, got 0.000500"),
  },
  {
    row: "3.9 a negative limit",
    call: query("SelectHeatmap", { ...HEATMAP, limit: -1 }),
    ...refused("limit must be non-negative, got -1"),
  },
  {
    row: "3.9 no range",
    call: query("SelectHeatmap", { ...HEATMAP, start: 0, end: 0 }),
    ...refused("start time must be before end time, got start=0 end=0"),
  },
  {
    row: "3.9 a range of nothing",
    call: query("SelectHeatmap", { ...HEATMAP, end: RANGE.start }),
    ...refused(`start time must be before end time, got start=${RANGE.start} end=${RANGE.start}`),
  },
  {
    row: "3.9 no query type",
    call: query("SelectHeatmap", { ...HEATMAP, queryType: "HEATMAP_QUERY_TYPE_UNSPECIFIED" }),
    ...refused("valid heatmap query type must be specified"),
  },
  {
    row: "3.9 exemplars of profiles in a heat map of spans",
    call: query("SelectHeatmap", {
      ...HEATMAP,
      queryType: "HEATMAP_QUERY_TYPE_SPAN",
      exemplarType: "EXEMPLAR_TYPE_INDIVIDUAL",
    }),
    ...refused("individual exemplars only available for individual query type"),
  },
  {
    row: "3.9 exemplars of spans in a heat map of profiles",
    call: query("SelectHeatmap", { ...HEATMAP, exemplarType: "EXEMPLAR_TYPE_SPAN" }),
    ...refused("span exemplars only available for span query type"),
  },
  {
    row: "3.10 a side that is missing",
    call: query("Diff", { left: SELECTION }),
    ...refused("missing time range in the query"),
  },
  {
    row: "3.10 sides of two types",
    call: query("Diff", { left: SELECTION, right: { ...SELECTION, profileTypeID: "a:b:c:d:e" } }),
    ...ok(),
  },
  {
    row: "3.11 GetProfileStats of two tenants",
    call: query("GetProfileStats", {}, { "x-scope-orgid": "a|b" }),
    ...refused("expected 1 tenant, got 2"),
  },
  {
    row: "3.11 GetProfileStats before and after a push",
    before: pushShop,
    call: query("GetProfileStats", {}),
    ...ok(/"dataIngested":true/),
  },
];
