import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { S3Options } from "../../packages/receiver/src/store/s3-blobs.ts";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);
const scripts = fileURLToPath(new URL("../../scripts/ceph/", import.meta.url));

/** Whether this machine has Ceph's gateway. In CI its absence is a failure of the tests that need it. */
export const hasCeph: boolean = existsSync("/usr/bin/radosgw") || process.env.CI !== undefined;

/** A real S3 on loopback. */
export interface Ceph {
  /** Such as `http://127.0.0.1:7480`. */
  readonly endpoint: string;
  /** A bucket of it, made just now; another endpoint: that of a proxy in front of it. */
  bucket(name: string, endpoint?: string): Promise<S3Options>;
  stop(): Promise<void>;
}

/** A port may be taken between its choice and its use, and Ceph's start has races of its own. */
const START_ATTEMPTS = 3;

/** Starts Ceph with its gateway: 15 to 20 seconds. */
export async function startCeph(): Promise<Ceph> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToStart();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function tryToStart(): Promise<Ceph> {
  const directory = await mkdtemp(join(tmpdir(), "ceph-"));
  const stop = async (): Promise<void> => {
    await run(join(scripts, "down.sh"), [directory]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const ports = [String(await freePort()), String(await freePort())];
    const { stdout } = await run(join(scripts, "up.sh"), [directory, ...ports], { timeout: 120_000 });
    const endpoint = stdout.trim().split("\n").at(-1) ?? "";
    return { endpoint, stop, bucket: (name, through) => makeBucket(endpoint, name, through ?? endpoint) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeBucket(endpoint: string, bucket: string, through: string): Promise<S3Options> {
  const credentials = { accessKeyId: "AKTEST", secretAccessKey: "SKTEST" };
  const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return {
    ...{ bucket, region: "us-east-1", endpoint: through, isPathStyle: true, prefix: "", credentials },
    hasConditionalWrites: true,
  };
}

/** Flags of a receiver that keeps its blocks in a bucket. */
export function bucketFlags(options: S3Options): readonly string[] {
  return [
    ...["--storage.backend", "s3", "--storage.s3.bucket-name", options.bucket],
    ...["--storage.s3.endpoint", options.endpoint ?? "", "--storage.s3.force-path-style"],
    ...["--storage.s3.access-key-id", "AKTEST", "--storage.s3.secret-access-key", "SKTEST"],
  ];
}
