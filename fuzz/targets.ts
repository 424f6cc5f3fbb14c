// What faces the network, by name: each takes bytes and must either return or refuse them with an error of ours.
import {
  decodeJfr,
  decodeOtlp,
  decodePprof,
  decodeSpeedscope,
  decodeStacks,
  decodeTree,
  encodePprof,
  encodeTree,
  type Profile,
  ProtocolError,
  parseAppName,
  parseQuery,
  parseSampleTypeConfig,
  parseSelector,
  parseTimeNanos,
  type StackFormat,
  totalValues,
} from "@pyroscope-ts/protocol";
import { PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { decodeLabelsSnapshot } from "../packages/protocol/src/jfr/labels-snapshot.ts";
import { parseOverrides } from "../packages/receiver/src/config/overrides.ts";
import { ReceiverError } from "../packages/receiver/src/errors.ts";
import { checkFieldCount } from "../packages/receiver/src/http/body/message-fields.ts";
import { findBoundary, parseMultipart } from "../packages/receiver/src/http/body/multipart.ts";
import { parseOtlpJson } from "../packages/receiver/src/ingest/otlp-json.ts";
import { readFrames } from "../packages/receiver/src/store/wal-frame.ts";

const STACKS = {
  sampleType: { type: "cpu", unit: "nanoseconds" },
  periodType: { type: "cpu", unit: "nanoseconds" },
  period: 10_000_000n,
  scale: 10_000_000n,
  timeUnixNanos: 0n,
  durationNanos: 0n,
};

const RECORDING = { sampleRateHz: 100, startUnixNanos: 0n, endUnixNanos: 1n };

/** What was decoded can be encoded, decoded and summed again. */
function checkProfile(profile: Profile): void {
  const again = decodePprof(encodePprof(profile));
  if (again.samples.length > profile.samples.length) throw new Error("encoding made samples");
  totalValues(profile);
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const stacks =
  (format: StackFormat) =>
  (bytes: Uint8Array): void =>
    checkProfile(decodeStacks(format, bytes, STACKS));

/** Decoders by name. */
export const targets: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
  pprof: (bytes) => checkProfile(decodePprof(bytes)),
  jfr(bytes) {
    for (const { profile } of decodeJfr(bytes, RECORDING).profiles) checkProfile(profile);
  },
  "jfr-labels"(bytes) {
    decodeLabelsSnapshot(bytes);
  },
  otlp(bytes) {
    for (const one of decodeOtlp(bytes)) if (!(one instanceof ProtocolError)) checkProfile(one.profile);
  },
  "otlp-json"(bytes) {
    const proto = parseOtlpJson(bytes);
    if (proto instanceof Uint8Array) targets.otlp?.(proto);
  },
  "push-message"(bytes) {
    checkFieldCount(bytes, "proto", PushRequestSchema);
    checkFieldCount(bytes, "json", PushRequestSchema);
  },
  multipart(bytes) {
    const boundary = findBoundary("", bytes);
    if (boundary !== undefined) parseMultipart(bytes, boundary);
  },
  collapsed: stacks("groups"),
  lines: stacks("lines"),
  trie: stacks("trie"),
  "frame-tree": stacks("tree"),
  tree(bytes) {
    encodeTree(decodeTree(bytes));
  },
  speedscope(bytes) {
    const header = { appName: "shop", sampleRateHz: 100 };
    for (const { profile } of decodeSpeedscope(bytes, header)) checkProfile(profile);
  },
  selector: (bytes) => void parseSelector(text(bytes)),
  query: (bytes) => void parseQuery(text(bytes)),
  time: (bytes) => void parseTimeNanos(text(bytes), 1_700_000_000_000_000_000n),
  "app-name": (bytes) => void parseAppName(text(bytes)),
  "sample-type-config": (bytes) => void parseSampleTypeConfig(text(bytes)),
  overrides(bytes) {
    try {
      parseOverrides(text(bytes));
    } catch (error) {
      // What it refuses with; what follows from a defect is of another class.
      if (!(error instanceof Error) || error.constructor !== Error) throw error;
    }
  },
  wal(bytes) {
    let end = 0;
    for (const { offset } of readFrames(Buffer.from(bytes), 0)) {
      if (offset < end) throw new Error("a piece of the log overlaps the one before it");
      end = offset;
    }
  },
};

/** Runs a target; whatever it throws beyond a refusal is a defect. */
export function run(name: string, bytes: Uint8Array): void {
  try {
    targets[name]?.(bytes);
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof ReceiverError) return;
    throw error;
  }
}
