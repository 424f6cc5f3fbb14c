// What the fuzzers change: real uploads where there are some, and a text or two of every grammar.
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { encodeFrame, SEGMENT_HEADER } from "../packages/receiver/src/store/wal-frame.ts";

const root = new URL("../", import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, root));
const unzip = (bytes: Buffer): Buffer => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
const recorded = (client: string): readonly Buffer[] =>
  readdirSync(new URL(`interop/fixtures/${client}/`, root))
    .filter((name) => name.endsWith(".body"))
    .map((name) => read(`interop/fixtures/${client}/${name}`));
const texts = (...values: readonly string[]): readonly Buffer[] => values.map((value) => Buffer.from(value));

/** A field of a message, with a length. */
function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}

/** The bytes behind the header of the first part of a form. */
function firstPart(form: Buffer): Buffer {
  const boundary = form.subarray(0, form.indexOf("\r\n"));
  const start = form.indexOf("\r\n\r\n") + 4;
  return unzip(form.subarray(start, form.indexOf(boundary, start) - 2));
}

// main;work 5 and main;idle 2: as a prefix trie, as a tree of frames, and as the tree of answers.
const TRIE = Buffer.from([
  0,
  0,
  1,
  5,
  ...Buffer.from("main;"),
  0,
  2,
  4,
  ...Buffer.from("work"),
  5,
  0,
  4,
  ...Buffer.from("idle"),
  2,
  0,
]);
const TREE = Buffer.from([
  0,
  0,
  1,
  4,
  ...Buffer.from("main"),
  0,
  2,
  4,
  ...Buffer.from("work"),
  5,
  0,
  4,
  ...Buffer.from("idle"),
  2,
  0,
]);

const SPEEDSCOPE = {
  $schema: "https://www.speedscope.app/file-format-schema.json",
  shared: { frames: [{ name: "main" }, { name: "work", file: "a.js", line: 3 }] },
  profiles: [
    {
      type: "evented",
      name: "one",
      unit: "milliseconds",
      startValue: 0,
      endValue: 9,
      events: [
        { type: "O", frame: 0, at: 0 },
        { type: "O", frame: 1, at: 2 },
        { type: "C", frame: 1, at: 5 },
        { type: "C", frame: 0, at: 9 },
      ],
    },
    {
      type: "sampled",
      name: "two",
      unit: "none",
      startValue: 0,
      endValue: 3,
      samples: [[0, 1], [0]],
      weights: [2, 1],
    },
  ],
};

const OVERRIDES = `overrides:
  team-a: { ingestion_rate_mb: 20, retention_period: 30d, max_global_series_per_tenant: 5 }
  team-b:
    ingestion_relabeling_rules: [{ source_labels: [a, b], separator: ;, regex: (.*)x, action: replace, target_label: c }]
    symbolizer: &off { enabled: false }
    distributor_usage_groups: *off
`;

const SEGMENT = Buffer.concat([
  SEGMENT_HEADER,
  ...["one", "two"].flatMap((name) =>
    encodeFrame({ tenant: name, record: Buffer.from(`record of ${name}`) }, 0),
  ),
]);

const OTLP_JSON = {
  resourceProfiles: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      scopeProfiles: [
        {
          profiles: [
            {
              sampleType: { typeStrindex: 1, unitStrindex: 2 },
              periodType: { typeStrindex: 3, unitStrindex: 4 },
              period: "10000000",
              timeUnixNano: "1700000000000000000",
              samples: [{ stackIndex: 1, values: ["5"], linkIndex: 1 }],
            },
          ],
        },
      ],
    },
  ],
  dictionary: {
    stringTable: ["", "samples", "count", "cpu", "nanoseconds", "main"],
    functionTable: [{}, { nameStrindex: 5 }],
    locationTable: [{}, { lines: [{ functionIndex: 1 }] }],
    stackTable: [{}, { locationIndices: [1] }],
    linkTable: [{}, { traceId: "0123456789abcdef0123456789abcdef", spanId: "0123456789abcdef" }],
    mappingTable: [{}],
  },
};

/** Seeds by target. */
export const seeds: Readonly<Record<string, readonly Buffer[]>> = {
  pprof: [
    ...["go-cpu", "go-heap", "node-heap", "node-time"].map((name) =>
      unzip(read(`packages/protocol/src/testing/testdata/${name}.pb.gz`)),
    ),
    ...recorded("node").slice(0, 2).map(unzip),
  ],
  jfr: recorded("java").map(firstPart),
  "jfr-labels": [unzip(read("packages/protocol/src/jfr/testdata/agent-itimer.labels"))],
  otlp: recorded("otlp").slice(0, 2).map(unzip),
  "otlp-json": texts(JSON.stringify(OTLP_JSON)),
  "push-message": recorded("node")
    .slice(0, 2)
    .map((profile) => field(1, field(2, field(1, profile)))),
  multipart: [...recorded("go").slice(0, 2), ...recorded("java").slice(0, 1)],
  collapsed: texts("main;work 5\nmain;idle 2\n", "a b;c d 12\r\n\n;;x 1"),
  lines: texts("main;work\nmain;idle\n", "a\n\nb;c"),
  trie: [TRIE],
  "frame-tree": [TREE],
  tree: [TREE],
  speedscope: texts(JSON.stringify(SPEEDSCOPE)),
  selector: texts('{service_name="a",pod=~"x.*",ns!="y",z!~"w"}', '{"otel.scope.name"="x\\n\\u00e9"}', "{}"),
  query: texts(
    'process_cpu:cpu:nanoseconds:cpu:nanoseconds{a="b"}',
    '{__name__="a:b:c:d:e",x=~"[a-z]+|b{2,3}"}',
  ),
  time: texts("now-1h", "now-1w2d", "1700000000", "20260301", "1700000000000", "now + 3min"),
  "app-name": texts("shop{env=prod,otel.scope.name=x}", "my.app-2/x{a=b"),
  "sample-type-config": texts(
    '{"samples":{"units":"samples","display-name":"cpu","aggregation":"sum","sampled":true}}',
  ),
  overrides: texts(OVERRIDES),
  wal: [SEGMENT],
};
