import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { FaultyFs, type FsOperation, type Verdict } from "./testing/faulty-fs.ts";
import { readFrames, seedOfSegment } from "./wal-frame.ts";
import { WalWriter } from "./wal-writer.ts";

describe("WalWriter", () => {
  let directory: string;
  let judge: (operation: FsOperation) => Verdict;
  let fs: FaultyFs;
  let writer: WalWriter;
  let operations: FsOperation[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pyroscope-wal-"));
    operations = [];
    judge = () => "works";
    fs = new FaultyFs((operation) => {
      operations.push(operation);
      return judge(operation);
    });
    writer = new WalWriter({ fs, clock: systemClock, directory });
  });
  afterEach(async () => {
    await writer.close().catch(() => undefined);
    await rm(directory, { recursive: true });
  });

  const append = (text: string): Promise<void> => writer.append({ tenant: "a", record: Buffer.from(text) });
  const stored = async (): Promise<readonly string[]> => {
    const texts: string[] = [];
    for (const name of (await readdir(directory)).sort()) {
      for (const piece of readFrames(await readFile(join(directory, name)), seedOfSegment(name))) {
        if (piece.kind === "record") texts.push(Buffer.from(piece.record.record).toString());
      }
    }
    return texts;
  };

  it("resolves after the record is written and synced", async () => {
    await append("one");

    expect(operations).toEqual(["createFile", "append", "syncDirectory", "append", "sync"]);
    expect(await stored()).toEqual(["one"]);
  });

  it("syncs once for all records that come while a sync runs", async () => {
    await append("one");
    operations.length = 0;

    await Promise.all(["two", "three", "four", "five"].map(append));

    // "two" goes alone: the others came after its write had begun.
    expect(operations).toEqual(["append", "sync", "append", "sync"]);
    expect(await stored()).toEqual(["one", "two", "three", "four", "five"]);
  });

  it.for(["append", "sync"] as const)(
    "refuses what a failed %s concerned, syncs that segment never again, and goes on in a new one",
    async (failing) => {
      await append("one");
      judge = (operation) => (operation === failing ? "tears" : "works");
      await expect(append("two")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      judge = () => "works";
      operations.length = 0;

      await append("three");

      expect(operations).toEqual(["createFile", "append", "syncDirectory", "append", "sync"]);
      expect(writer.segments).toHaveLength(2);
      expect(await stored()).toEqual(expect.arrayContaining(["one", "three"]));
    },
  );

  it("keeps what was acknowledged when the failed write cannot be cut off", async () => {
    await append("one");
    judge = (operation) => (operation === "append" || operation === "truncate" ? "tears" : "works");
    await expect(append("two")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });

    expect((await stored())[0]).toBe("one");
  });

  it("refuses while no segment can be made and leaves none behind", async () => {
    judge = (operation) => (operation === "syncDirectory" ? "fails" : "works");
    await expect(append("one")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await expect(append("two")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });

    expect(await readdir(directory)).toEqual([]);
    judge = () => "works";
    await append("three");
    expect(await stored()).toEqual(["three"]);
  });
});
