import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { nodeFs } from "./node-fs.ts";
import { blobsContract } from "./testing/blobs-contract.ts";

describe("DirectoryBlobs", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pyroscope-blobs-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.for(Object.entries(blobsContract))("%s", async ([, check]) => {
    await check({ blobs: new DirectoryBlobs(nodeFs, join(directory, "shared")), directory });
  });
});
