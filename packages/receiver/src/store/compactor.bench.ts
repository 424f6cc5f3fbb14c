import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { openStore } from "./local-store.ts";
import { nodeFs } from "./node-fs.ts";
import type { Store } from "./store.ts";
import { type GeneratedShape, generateBlocks } from "./testing/generate-blocks.ts";

const MEBIBYTE = 1024 * 1024;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function measure(act: () => Promise<unknown>): Promise<Cost> {
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: Math.round(performance.now() - begin), cpuMs: Math.round((user + system) / 1000) };
}

async function queryOneService(store: Store): Promise<bigint> {
  const range = {
    tenants: ["anonymous"],
    fromUnixNanos: 0n,
    untilUnixNanos: 2n ** 62n,
    services: ["service-7"],
  };
  const snapshot = await store.snapshot(range);
  const result = await snapshot.database.select(
    `SELECT sum(total)::BIGINT AS total FROM (SELECT stack, sum(value) AS total FROM ${snapshot.from("samples")} WHERE service = 'service-7' GROUP BY stack)`,
  );
  snapshot.release();
  return result.bigints("total")[0]!;
}

async function withStore(shape: GeneratedShape, use: (store: Store) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "pyroscope-bench-"));
  try {
    await generateBlocks(directory, shape);
    const store = await openStore({
      directory,
      fs: nodeFs,
      // The blocks are of now, and only those that are quiet are merged.
      clock: { ...systemClock, nowUnixMillis: () => Date.now() + 86_400_000 },
      expand: () => [],
      retentionMillis: 0,
      log: (line) => process.stdout.write(`${line}\n`),
    });
    try {
      await use(store);
    } finally {
      await store.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

function print(what: string, { wallMs, cpuMs }: Cost): void {
  process.stdout.write(`${what}: ${wallMs} ms, ${cpuMs} ms CPU\n`);
}

test("a thousand small files, then the block of them", { timeout: 1_800_000 }, async () => {
  const shape = { blockCount: 1000, profilesPerBlock: 120, samplesPerProfile: 83, spanMs: 599_000 };
  await withStore(shape, async (store) => {
    const expected = await queryOneService(store);
    print("one service in 1,000 files", await measure(() => queryOneService(store)));
    print("compaction", await measure(() => store.compact()));
    expect(store.status().blockCount).toBe(1);
    expect(await queryOneService(store)).toBe(expected);
    print("one service in the block", await measure(() => queryOneService(store)));
  });
});

test("50 million rows under 256 MB", { timeout: 1_800_000 }, async () => {
  const shape = { blockCount: 50, profilesPerBlock: 12_100, samplesPerProfile: 83, spanMs: 3_599_000 };
  await withStore(shape, async (store) => {
    const { blockBytes } = store.status();
    const expected = await queryOneService(store);
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    }, 200);
    const cost = await measure(async () => {
      expect(await store.compact()).toMatchObject({ failureCount: 0 });
    });
    clearInterval(watch);
    print(`compaction of ${(blockBytes / MEBIBYTE).toFixed(0)} MB`, cost);
    const { blockCount, blockBytes: bytes } = store.status();
    process.stdout.write(
      `${blockCount} blocks of ${(bytes / MEBIBYTE).toFixed(0)} MB, ${(peakBytes / MEBIBYTE).toFixed(0)} MB resident at most\n`,
    );
    expect(await queryOneService(store)).toBe(expected);
  });
});
