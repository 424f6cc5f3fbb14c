import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { nodeFs } from "./node-fs.ts";
import { blobsContract } from "./testing/blobs-contract.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";

describe("DirectoryBlobs", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pyroscope-blobs-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.for(Object.entries(blobsContract))("%s", async ([, check]) => {
    await check({ blobs: new DirectoryBlobs(nodeFs, join(directory, "shared")), directory });
  });

  it.for(["append", "sync", "rename"] as const)("leaves no draft behind when %s fails", async (broken) => {
    const root = join(directory, broken);
    const file = join(directory, `${broken}.txt`);
    await writeFile(file, "text");
    let isBroken = true;
    const fs = new FaultyFs((operation) => (isBroken && operation === broken ? "fails" : "works"), "ENOSPC");
    const blobs = new DirectoryBlobs(fs, root);

    await expect(blobs.upload(file, "a/b")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });

    expect(await readdir(join(root, ".drafts"))).toEqual([]);
    isBroken = false;
    await blobs.upload(file, "a/b");
    expect(await blobs.list("")).toEqual(["a/b"]);
  });
});
