import { gzipSync } from "node:zlib";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import {
  executionSample,
  RAW_POOLS,
  rawChunk,
  stackTrace,
  TYPE,
} from "../../protocol/src/jfr/raw-jfr.fixture.ts";

/** An upload that is made to be slow, or large, out of few bytes. */
export interface HostileBody {
  readonly what: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** How many come at once; one where nothing is said. */
  readonly atOnce?: number;
}

const PUSH = "/push.v1.PusherService/Push";
const PROTO = { "content-type": "application/proto" };
const JSON_TYPE = { "content-type": "application/json" };
const FORM = { "content-type": "multipart/form-data; boundary=b" };
const OTLP = { "content-type": "application/x-protobuf" };

const repeat = (count: number, ...bytes: readonly number[]): Buffer =>
  Buffer.alloc(count * bytes.length).fill(Buffer.from(bytes));

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const field = (number: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
};
const number = (fieldNumber: number, value: number): Buffer =>
  Buffer.concat([varint(fieldNumber << 3), varint(value)]);
const node = (name: string, value: number, children: number): Buffer =>
  Buffer.concat([varint(name.length), Buffer.from(name), varint(value), varint(children)]);
const chain = (depth: number, name: string): Buffer =>
  Buffer.concat(Array.from({ length: depth }, (_, i) => node(name, 1, i === depth - 1 ? 0 : 1)));

const drawn = encodePprof(profileFromText("main\nwork", { timeUnixNanos: BigInt(Date.now()) * 1_000_000n }));
const pprofSamples = (count: number, sample: (i: number) => Uint8Array): Buffer =>
  Buffer.concat([drawn, ...Array.from({ length: count }, (_, i) => field(2, sample(i)))]);

const $schema = "https://www.speedscope.app/file-format-schema.json";
const speedscope = (...profiles: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ $schema, shared: { frames: [{ name: "a" }] }, profiles }));
const times = { unit: "milliseconds", startValue: 0, endValue: 0 };
const events = (type: string, count: number): readonly object[] =>
  Array.from({ length: count }, () => ({ type, frame: 0, at: 0 }));

/** Of an OTLP request: a dictionary of one stack of one location, and a profile of one sample of it. */
const otlpProfile = Buffer.concat([field(1, number(1, 1), number(2, 2)), field(2, field(4, varint(1)))]);
function otlp(count: number, attributes: Uint8Array, location: Uint8Array): Buffer {
  const strings = ["", "cpu", "nanoseconds"].map((text) => field(5, Buffer.from(text)));
  const dictionary = [
    field(1),
    field(2, location),
    field(3),
    ...strings,
    field(6),
    field(7, field(1, varint(0))),
  ];
  const scope = field(2, ...Array.from({ length: count }, () => field(2, otlpProfile)));
  return Buffer.concat([field(1, field(1, attributes), scope), field(2, ...dictionary)]);
}
const attribute = (i: number): Buffer =>
  field(1, field(1, Buffer.from(`k${i}`)), field(2, field(1, varint(97))));

const deepStack: (readonly [method: number, line: number])[] = Array.from({ length: 1000 }, () => [7, 3]);
const jfrDeep = (): Uint8Array =>
  rawChunk({
    events: Array.from({ length: 15_000 }, (_, i) => executionSample(1, 1, [0, i + 1, 0, 0, 0])),
    pools: [{ type: TYPE.stackTrace, constants: [[1, stackTrace(...deepStack)]] }, ...RAW_POOLS.slice(1)],
  });

const ingest = (what: string, format: string, body: Uint8Array): HostileBody => ({
  what,
  path: `/ingest?name=hostile.cpu&format=${format}`,
  headers: {},
  body,
});
const push = (what: string, headers: Readonly<Record<string, string>>, body: Uint8Array): HostileBody => ({
  what,
  path: PUSH,
  headers,
  body,
});
const otlpBody = (what: string, body: Uint8Array): HostileBody => ({
  what,
  path: "/v1development/profiles",
  headers: OTLP,
  body,
});

/** Makes each of them, of some four megabytes at most. */
export function createHostileBodies(): readonly HostileBody[] {
  return [...createMessages(), ...createProfiles(), ...createOtlpRequests()];
}

function createMessages(): readonly HostileBody[] {
  const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n';
  return [
    push("push: 2 M empty series", PROTO, repeat(2_000_000, 0x0a, 0)),
    push("push: 2 M empty labels", PROTO, field(1, repeat(2_000_000, 0x0a, 0))),
    push("push: as many series as may be", PROTO, repeat(65_536, 0x0a, 0)),
    push("push: 500,000 series in JSON", JSON_TYPE, Buffer.from(`{"series":[${"{},".repeat(499_999)}{}]}`)),
    push("push: 4 MB of [ as JSON", JSON_TYPE, Buffer.alloc(4_000_000, "[")),
    ...[1, 3].map((atOnce) => ({
      what: `a file of 4 MB to look at in JSON, ${atOnce} at once`,
      path: "/adhocprofiles.v1.AdHocProfileService/Upload",
      headers: JSON_TYPE,
      body: Buffer.from(JSON.stringify({ name: "x", profile: "A".repeat(5_333_332) })),
      atOnce,
    })),
    {
      what: "form: 100,000 parts",
      path: "/ingest?name=hostile",
      headers: FORM,
      body: Buffer.from(`${part.repeat(100_000)}--b--\r\n`),
    },
    {
      what: "form: boundary everywhere",
      path: "/ingest?name=hostile",
      headers: FORM,
      body: Buffer.from(`--b\r\n${"x--b".repeat(900_000)}`),
    },
  ];
}

function createProfiles(): readonly HostileBody[] {
  return [
    ingest("pprof: 2 M empty samples", "pprof", gzipSync(Buffer.concat([drawn, repeat(2_000_000, 0x12, 0)]))),
    ingest(
      "pprof: a stack of 1 M frames",
      "pprof",
      pprofSamples(1, () => Buffer.concat([field(1, repeat(1_000_000, 1)), number(2, 1)])),
    ),
    ingest(
      "pprof: 15,000 label sets",
      "pprof",
      pprofSamples(15_000, (i) =>
        Buffer.concat([number(1, 1), number(2, 1), field(3, number(1, 1), number(3, i + 1))]),
      ),
    ),
    ingest(
      "pprof: 100 labels on 6,000 samples",
      "pprof",
      pprofSamples(6000, () =>
        Buffer.concat([number(1, 1), number(2, 1), repeat(100, 0x1a, 4, 8, 1, 16, 1)]),
      ),
    ),
    ingest(
      "folded: 150,000 stacks",
      "groups",
      Buffer.from(Array.from({ length: 150_000 }, (_, i) => `a${i};b${i} 1\n`).join("")),
    ),
    ingest("folded: 4 MB of ;", "groups", Buffer.from(`${";".repeat(4_000_000)} 1\n`)),
    ingest("folded: 4 MB of blank lines", "groups", Buffer.alloc(4_000_000, "\n")),
    ingest("lines: 2 M of them", "lines", Buffer.from("a\nb\n".repeat(1_000_000))),
    ingest("trie: a chain of 16,000 frames", "trie", chain(16_000, "a;")),
    ingest("trie: a chain of one frame", "trie", chain(16_000, "aaaaaa")),
    ingest("tree: a chain of 5,000 frames", "tree", chain(5000, "a")),
    ingest(
      "speedscope: 20,000 frames open for no time",
      "speedscope",
      speedscope({
        type: "evented",
        name: "x",
        ...times,
        events: [...events("O", 20_000), ...events("C", 20_000)],
      }),
    ),
    ingest(
      "speedscope: 30,000 profiles",
      "speedscope",
      speedscope(
        ...Array.from({ length: 30_000 }, (_, i) => ({
          type: "sampled",
          name: `${i}`,
          ...times,
          samples: [],
          weights: [],
        })),
      ),
    ),
    ingest("JFR: a stack of 1,000 frames in 15,000 samples", "jfr", jfrDeep()),
  ];
}

function createOtlpRequests(): readonly HostileBody[] {
  return [
    otlpBody(
      "OTLP: 20,000 attributes, 20,000 profiles",
      otlp(20_000, Buffer.concat(Array.from({ length: 20_000 }, (_, i) => attribute(i))), Buffer.alloc(0)),
    ),
    otlpBody("OTLP: a row of 1 MB, 20,000 profiles", otlp(20_000, Buffer.alloc(0), repeat(500_000, 0x48, 1))),
    otlpBody("OTLP: 20,000 profiles", otlp(20_000, Buffer.alloc(0), Buffer.alloc(0))),
    {
      what: "OTLP: 4 MB of [ as JSON",
      path: "/v1development/profiles",
      headers: JSON_TYPE,
      body: Buffer.alloc(4_000_000, "["),
    },
  ];
}
