import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodePprof, totalValues } from "@pyroscope-ts/protocol";
import { googleV1, PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { type GoLikeOptions, goLikePprof } from "../src/store/testing/go-like-profile.ts";

/** What a generated client pushes. */
export interface PushKind {
  readonly name: string;
  readonly shape: Omit<GoLikeOptions, "seed" | "timeUnixMillis">;
}

/** What a Go service sends: 44 kB, 15 kB as gzip. */
export const GO_LIKE: PushKind = { name: "Go-like", shape: {} };
/** The same with no stack that was there before: as if every push came from another program. */
export const ALL_NEW: PushKind = { name: "Go-like, all stacks new", shape: { newStackShare: 1 } };
/** What a Node service sends: 2 kB as gzip. */
export const NODE_LIKE: PushKind = {
  name: "Node-like",
  shape: { sampleCount: 32, functionCount: 44, stackCount: 400 },
};

const SERVICE_COUNT = 12;
const STEP_MS = 15_000;

/** Bodies of pushes, each with another profile, and their mean sizes. */
export interface PushBodies {
  readonly bodies: readonly Uint8Array[];
  readonly rawBytes: number;
  readonly gzipBytes: number;
}

/**
 * Makes the bodies of `count` pushes, which services send in turn, a profile each.
 *
 * @param endUnixMillis - time of the last one; each service pushes every 15 seconds.
 */
export function createPushBodies({ shape }: PushKind, count: number, endUnixMillis: number): PushBodies {
  let rawBytes = 0;
  let gzipBytes = 0;
  const rounds = Math.ceil(count / SERVICE_COUNT);
  const bodies = Array.from({ length: count }, (_, i) => {
    const service = i % SERVICE_COUNT;
    const timeUnixMillis = endUnixMillis - (rounds - Math.floor(i / SERVICE_COUNT)) * STEP_MS;
    const raw = goLikePprof({ ...shape, seed: 1 + service, timeUnixMillis });
    const rawProfile = gzipSync(raw);
    rawBytes += raw.length;
    gzipBytes += rawProfile.length;
    return createBody(service, rawProfile);
  });
  return { bodies, rawBytes: rawBytes / count, gzipBytes: gzipBytes / count };
}

/** Pushes without end. */
export interface PushSource {
  /** The next one, and the sum of its samples. */
  next(): { readonly body: Uint8Array; readonly total: bigint };
}

const SOURCE_SIZE = 240;

/**
 * Pushes that are all different and cheap to make: profiles that come again at another time. Their time stands in a gzip
 * member behind the profile's; of a field that comes twice the last one counts.
 */
export function createPushSource({ shape }: PushKind): PushSource {
  const bases = Array.from({ length: SOURCE_SIZE }, (_, i) => {
    const raw = goLikePprof({ ...shape, seed: 1 + (i % SERVICE_COUNT), timeUnixMillis: 1 + i });
    return { gzip: gzipSync(raw), total: totalValues(decodePprof(raw))[0] ?? 0n };
  });
  let count = 0;
  return {
    next() {
      const { gzip, total } = bases[count % SOURCE_SIZE] as (typeof bases)[number];
      // Microseconds apart, so that no two are at one time.
      const timeNanos = BigInt(Date.now()) * 1_000_000n + BigInt(count % 1000) * 1000n;
      const time = toBinary(googleV1.ProfileSchema, create(googleV1.ProfileSchema, { timeNanos }));
      const rawProfile = Buffer.concat([gzip, gzipSync(time, { level: 0 })]);
      return { body: createBody(count++ % SERVICE_COUNT, rawProfile), total };
    },
  };
}

function createBody(service: number, rawProfile: Uint8Array): Uint8Array {
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: `service-${service}` },
    { name: "pod", value: `service-${service}-0` },
  ];
  const message = create(PushRequestSchema, { series: [{ labels, samples: [{ rawProfile }] }] });
  return toBinary(PushRequestSchema, message);
}
