import { deepEqual, equal, rejects } from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs } from "../blobs.ts";

/** What {@link blobsContract} works with. */
export interface BlobsUnderTest {
  /** Empty before the first case. */
  readonly blobs: Blobs;
  /** For files of the case. */
  readonly directory: string;
}

/** What every kind of {@link Blobs} does; each case throws when it does not. */
export const blobsContract: Readonly<Record<string, (under: BlobsUnderTest) => Promise<void>>> = {
  "gives back what was uploaded, whole or as a file": async ({ blobs, directory }) => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 3));

    await blobs.upload(await fileOf(directory, bytes), "a/b%2A/file.parquet");

    equal((await blobs.read("a/b%2A/file.parquet"))?.equals(bytes), true);
    const copy = join(directory, "copy");
    equal(await blobs.download("a/b%2A/file.parquet", copy), true);
    equal((await readFile(copy)).equals(bytes), true);
    const part = join(directory, "part");
    equal(await blobs.download("a/b%2A/file.parquet", part, { from: 1_500_000, bytes: 70_000 }), true);
    equal((await readFile(part)).equals(bytes.subarray(1_500_000, 1_570_000)), true);
    const beyond = join(directory, "beyond");
    equal(await blobs.download("a/b%2A/file.parquet", beyond, { from: 4_000_000, bytes: 10 }), true);
    equal((await readFile(beyond)).length, 0);
  },

  "takes the same bytes again, and never replaces them by others": async ({ blobs, directory }) => {
    await blobs.upload(await fileOf(directory, "one"), "again");

    await blobs.upload(await fileOf(directory, "one"), "again");
    await rejects(blobs.upload(await fileOf(directory, "two"), "again"), { code: "CONFLICT" });

    equal(String(await blobs.read("again")), "one");
  },

  "lets one of several at once have a key": async ({ blobs, directory }) => {
    const files = await Promise.all(["1", "2", "3", "4"].map((text) => fileOf(directory, text, text)));

    const uploads = await Promise.allSettled(files.map((path) => blobs.upload(path, "race")));

    const stored = Number(String(await blobs.read("race")));
    equal(uploads[stored - 1]?.status, "fulfilled");
  },

  "keeps an object of no bytes": async ({ blobs, directory }) => {
    await blobs.upload(await fileOf(directory, ""), "empty");

    equal((await blobs.read("empty"))?.length, 0);
  },

  "knows nothing of a key that has no object, nor of one that others begin with": async ({
    blobs,
    directory,
  }) => {
    await blobs.upload(await fileOf(directory, "x"), "deep/er/file");

    equal(await blobs.read("deep/er"), undefined);
    equal(await blobs.download("deep/none", join(directory, "none")), false);
    await blobs.remove(["deep/none"]);
  },

  "lists keys by their beginning, in order, and not those that were removed": async ({
    blobs,
    directory,
  }) => {
    for (const key of ["list/b/2", "list/a", "list/b/1", "list/c", "listing"]) {
      await blobs.upload(await fileOf(directory, key), key);
    }

    await blobs.remove(["list/c"]);

    deepEqual(await blobs.list("list/"), ["list/a", "list/b/1", "list/b/2"]);
    deepEqual(await blobs.list("list/b/1"), ["list/b/1"]);
    deepEqual(await blobs.list("nothing/"), []);
  },

  "makes no object of a file that cannot be read": async ({ blobs, directory }) => {
    await rejects(blobs.upload(join(directory, "no-such-file"), "nothing"), /ENOENT/);

    equal(await blobs.read("nothing"), undefined);
  },
};

async function fileOf(directory: string, bytes: Uint8Array | string, name = "upload"): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}
