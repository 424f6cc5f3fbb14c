import { spawnSync } from "node:child_process";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inTurns } from "../packages/receiver/src/store/in-turns.ts";
import { tortureCount } from "../packages/receiver/src/store/testing/torture.ts";
import { makeDataDirectory } from "./harness/receiver-process.ts";
import { canTrace, compareLedger, countCalls, readStore, runStoreLife } from "./harness/store-life.ts";

const KILLS = tortureCount(5, 100);
const POINTS = tortureCount(40, Number.POSITIVE_INFINITY);
/** Each waits for its disk, and for strace, most of the time. */
const LIVES_AT_ONCE = 3;
const NOTHING = { lost: [], repeated: [] };
/** What changes the disk. Not write: threads wake each other up with it, ten times for each write to a file. */
const CALLS = ["fsync", "fdatasync", "rename", "unlink", "rmdir", "mkdir", "writev", "pwrite64"];

let directory: string;
let removeDirectory: () => Promise<void>;

beforeEach(async () => {
  const made = await makeDataDirectory();
  directory = made.path;
  removeDirectory = made.remove;
});
afterEach(() => removeDirectory());

describe("a store that is killed", () => {
  it(`has each acknowledged profile once after ${KILLS} kills during log, flush, merge and retention`, {
    timeout: 60_000 + 30_000 * KILLS,
  }, async () => {
    const acknowledged = new Set<string>();
    let longestOpenMs = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const killAfterMs = 5 + Math.random() * 795;
      const life = await runStoreLife({ directory, name: `life${kill}`, mode: "loop", killAfterMs });
      for (const name of life.acknowledged) acknowledged.add(name);
      const { stored, openMs } = await readStore(directory);
      longestOpenMs = Math.max(longestOpenMs, openMs);
      expect(compareLedger(acknowledged, stored), `kill ${kill}`).toEqual(NOTHING);
    }
    expect(acknowledged.size).toBeGreaterThan(KILLS);
    process.stdout.write(
      `${KILLS} kills: ${acknowledged.size} acknowledged, 0 lost, 0 repeated, opened in ${Math.round(longestOpenMs)} ms at most\n`,
    );
  });

  it.skipIf(!canTrace)(
    `has each acknowledged profile once, killed at ${POINTS === Number.POSITIVE_INFINITY ? "every" : `${POINTS} of the`} system calls that change the disk (needs strace)`,
    { timeout: 7_200_000 },
    async () => {
      // What Node compiles is kept by the first one that ends, and is none of the calls that are counted.
      const first = await makeDataDirectory();
      expect((await runStoreLife({ directory: first.path, name: "first", mode: "script" })).isDone).toBe(
        true,
      );
      await first.remove();
      const counts = await countCalls(directory, CALLS);
      const all = [...counts].flatMap(([call, count]) =>
        Array.from({ length: count }, (_, i) => ({ call, when: i + 1 })),
      );
      expect(all.length).toBeGreaterThan(200);
      const step = Math.max(1, all.length / POINTS);
      const points: { readonly call: string; readonly when: number }[] = [];
      for (let i = 0; i < all.length; i += step) points.push(all[Math.floor(i)]!);
      let killCount = 0;
      await inTurns(points, LIVES_AT_ONCE, async ({ call, when }) => {
        const life = await tryPoint(`${call}:signal=KILL:when=${when}`);
        if (!life.isDone) killCount++;
      });
      process.stdout.write(`${points.length} system calls: ${killCount} kills, 0 lost, 0 repeated\n`);
      // One that comes to its end first had fewer calls this time.
      expect(killCount).toBeGreaterThan(0.8 * Math.min(POINTS, all.length));
    },
  );

  it.skipIf(!canTrace)(
    "acknowledges nothing that a failing fsync or a full disk did not keep (needs strace)",
    { timeout: 1_800_000 },
    async () => {
      const faults = ["fdatasync:error=EIO", "fsync:error=EIO", "writev:error=ENOSPC", "writev:error=EIO"];
      const injections = faults.flatMap((fault) =>
        Array.from({ length: tortureCount(1, 20) }, (_, i) => `${fault}:when=${i + 1}`),
      );
      await inTurns(injections, LIVES_AT_ONCE, async (injection) => void (await tryPoint(injection)));
    },
  );
});

/** A scripted life into which strace injects something; then whether the store has what it acknowledged. */
async function tryPoint(injection: string): ReturnType<typeof runStoreLife> {
  const made = await makeDataDirectory();
  const trace = injection.split(":")[0] ?? "";
  const wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${trace}`];
  const life = await runStoreLife({
    ...{ directory: made.path, name: "life", mode: "script" },
    wrapper: [...wrapper, "-e", `inject=${injection}`],
  });
  const { stored } = await readStore(made.path);
  expect(compareLedger(life.acknowledged, stored), injection).toEqual(NOTHING);
  await made.remove();
  return life;
}

/** How often the disk becomes full, and has room again. */
const FULL_DISKS = 10;
const DISK_BYTES = 32 * 1024 * 1024;
const canMount = process.getuid?.() === 0 && tortureCount(0, 1) === 1;

it.skipIf(!canMount)(
  "keeps what it acknowledged on a disk that is full, and writes again (needs root)",
  {
    timeout: 600_000,
  },
  async () => {
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", directory]);
    expect(String(mount.stderr)).toBe("");
    try {
      const acknowledged = new Set<string>();
      const ballast = join(directory, "ballast");
      for (let round = 0; round < FULL_DISKS; round++) {
        const life = await runStoreLife({
          ...{ directory, name: `full${round}`, mode: "patient" },
          until: async (count) => {
            const more = async (word: "acknowledged" | "refused"): Promise<void> => {
              const before = count(word);
              await vi.waitFor(() => expect(count(word)).toBeGreaterThan(before + 20), { timeout: 60_000 });
            };
            await more("acknowledged");
            await expect(writeFile(ballast, Buffer.alloc(DISK_BYTES))).rejects.toThrow("ENOSPC");
            await more("refused");
            await rm(ballast);
            // By itself, in the same process.
            await more("acknowledged");
          },
        });
        for (const name of life.acknowledged) acknowledged.add(name);
      }
      const { stored } = await readStore(directory);
      expect(compareLedger(acknowledged, stored)).toEqual(NOTHING);
      expect(await readdir(directory)).toContain("blocks");
    } finally {
      spawnSync("umount", [directory]);
    }
  },
);
