import { ok, pushShop, RANGE, refused, TYPE } from "./query-request.ts";
import type { WireRow, WireServer } from "./wire-row.ts";

const get = (path: string, parameters: Readonly<Record<string, string>>) => (s: WireServer) =>
  s.fetch(`${path}?${new URLSearchParams(parameters)}`);

const RENDER = { query: `${TYPE}{}`, from: String(RANGE.start), until: String(RANGE.end) };
const renderDiff = (change: Readonly<Record<string, string>> = {}) => ({
  leftQuery: RENDER.query,
  leftFrom: RENDER.from,
  leftUntil: RENDER.until,
  rightQuery: RENDER.query,
  rightFrom: RENDER.from,
  rightUntil: RENDER.until,
  ...change,
});

/** The older REST routes, and services that are not here. */
export const renderRows: readonly WireRow[] = [
  {
    row: "3.13 render without a query",
    call: get("/pyroscope/render", { from: "now-1h" }),
    ...refused('"query" is required'),
  },
  {
    row: "3.13 render of a query that is none",
    call: get("/pyroscope/render", { ...RENDER, query: `${TYPE}{a=}` }),
    ...refused(/^failed to parse "query": /),
  },
  {
    row: "3.13 render of a query without a type",
    call: get("/pyroscope/render", { ...RENDER, query: '{a="b"}' }),
    ...refused('"query" must contain a profile-type selection'),
  },
  {
    row: "3.13 render of a bad type",
    call: get("/pyroscope/render", { ...RENDER, query: '{__name__="a:b"}' }),
    ...refused(/^failed to parse "query"/),
  },
  {
    row: "3.13 render without from is an empty range",
    call: get("/pyroscope/render", { query: RENDER.query }),
    ...ok(/"numTicks":0/),
  },
  {
    row: "3.13 render from 0",
    call: get("/pyroscope/render", { ...RENDER, from: "0" }),
    ...refused("missing time range in the query"),
  },
  {
    row: "3.13 render with a number of nodes that is none",
    call: get("/pyroscope/render", { ...RENDER, maxNodes: "x" }),
    ...ok(),
  },
  {
    row: "3.13 render with too many nodes",
    call: get("/pyroscope/render", { ...RENDER, maxNodes: "1048577" }),
    ...refused("max flamegraph nodes limit 1048577 is greater than allowed 1048576"),
  },
  {
    row: "3.13 render of dot where there is nothing",
    call: get("/pyroscope/render", { ...RENDER, format: "dot" }),
    ...ok(""),
    headers: { "content-type": /^text\/plain/ },
  },
  {
    row: "3.13 render of a format that nobody knows is JSON",
    call: get("/pyroscope/render", { ...RENDER, format: "xml" }),
    ...ok(/^\{"version":1,/),
  },
  ...["html", "svg", "png"].map(
    (format): WireRow => ({
      row: `3.13 render of ${format}, which comes later`,
      call: get("/pyroscope/render", { ...RENDER, format }),
      status: 400,
      code: "invalid_argument",
      text: new RegExp(`^format ${format} is not available`),
    }),
  ),
  {
    row: "3.13 render: maxNodes goes before max-nodes",
    call: get("/pyroscope/render", { ...RENDER, maxNodes: "16", "max-nodes": "1048577" }),
    ...ok(),
  },
  {
    row: "3.13 render: max-nodes",
    call: get("/pyroscope/render", { ...RENDER, "max-nodes": "1048577" }),
    ...refused("max flamegraph nodes limit 1048577 is greater than allowed 1048576"),
  },
  {
    row: "3.13 render from a time that is none: now",
    call: get("/pyroscope/render", { ...RENDER, from: "foo", until: "foo" }),
    ...ok(/"numTicks":0/),
  },
  {
    row: "3.13 render: the shape of its JSON",
    before: pushShop,
    call: get("/pyroscope/render", RENDER),
    ...ok(
      /^\{"version":1,"flamebearer":\{"names":\["total","main"\],"levels":\[\[0,5,0,0\],\[0,5,5,1\]\],"numTicks":5,"maxSelf":5\},"metadata":\{"format":"single","spyName":"","sampleRate":1000000000,"units":"samples","name":"cpu"\},"timeline":\{"startTime":\d+,"samples":\[[\d,]+\],"durationDelta":15,"watermarks":null\},"groups":null,"heatmap":null\}$/,
    ),
  },
  {
    row: "3.13 render-diff of two types",
    call: get("/pyroscope/render-diff", renderDiff({ rightQuery: "a:b:c:d:e{}" })),
    ...refused("profile types must match"),
  },
  {
    row: "3.13 render-diff without the right query",
    call: get("/pyroscope/render-diff", renderDiff({ rightQuery: "" })),
    ...refused(/"rightQuery" is required|"query" is required/),
  },
  { row: "3.13 render-diff", call: get("/pyroscope/render-diff", renderDiff()), ...ok(/"format":"double"/) },
  {
    row: "3.13 label-values without a label",
    call: get("/pyroscope/label-values", {}),
    ...refused("label parameter is required"),
  },
  {
    row: "3.13 label-values of __name__: the profile types",
    before: pushShop,
    call: get("/pyroscope/label-values", { label: "__name__" }),
    ...ok(`["${TYPE}"]`),
  },
  {
    row: "3.13 label-values of __name__ where there is nothing",
    call: get("/pyroscope/label-values", { label: "__name__" }),
    ...ok("null"),
  },
  {
    row: "3.13 label-values of another label",
    before: pushShop,
    call: get("/pyroscope/label-values", { label: "env" }),
    ...ok('["prod"]'),
  },
  ...["/pyroscope/render", "/pyroscope/render-diff", "/pyroscope/label-values"].map(
    (path): WireRow => ({
      row: `3.13 POST is 405: ${path}`,
      call: (s) => s.fetch(path, { method: "POST" }),
      status: 405,
      code: "unimplemented",
      headers: { allow: /GET/ },
    }),
  ),
  {
    row: "6.1 ready",
    call: get("/ready", {}),
    ...ok("ready\n"),
  },
  {
    row: "6.1 what the server was built from",
    call: get("/api/v1/status/buildinfo", {}),
    ...ok(/^\{"status":"success","data":\{"version":"[^"]+","revision":"/),
  },
  {
    row: "6.1 the settings",
    call: get("/api/v1/status/config", {}),
    ...ok(),
    headers: { "content-type": /^text\/plain/ },
  },
  {
    row: "0.2 the version of the querier's interface",
    call: (s) => s.call("version.v1.Version/Version", {}),
    ...ok('{"QuerierAPI":"1"}'),
  },
  {
    row: "0.2 health",
    call: (s) => s.call("grpc.health.v1.Health/Check", {}),
    ...ok('{"status":"SERVING"}'),
  },
  ...["vcs.v1.VCSService/GithubApp", "debuginfo.v1alpha1.DebuginfoService/ShouldInitiateUpload"].map(
    (path): WireRow => ({
      row: `0.2 a service that is not here: ${path}`,
      call: (s) => s.call(path, {}),
      status: 501,
      code: "unimplemented",
      text: / is not available: /,
    }),
  ),
];
