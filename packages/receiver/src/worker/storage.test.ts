import { describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { DEFAULT_QUERY_LIMITS } from "../query/query-service.ts";
import type { Store, StoreStatus } from "../store/store.ts";
import { createLogger } from "../telemetry/log.ts";
import { createStorage, type StorageParts } from "./storage.ts";
import type { StorageService } from "./storage-service.ts";

interface Fixture {
  readonly storage: StorageService;
  readonly events: readonly string[];
  readonly logLines: readonly string[];
  hold(): void;
  open(store?: Partial<Store>): void;
  fail(error: Error): void;
  /** Runs what the clock was asked to call. */
  tick(): Promise<void>;
}

function createFixture(parts: Partial<StorageParts> = {}): Fixture {
  const events: string[] = [];
  const logLines: string[] = [];
  let timers: (() => void)[] = [];
  const clock: Clock = {
    nowUnixMillis: () => 0,
    monotonicMillis: () => 0,
    setTimer: (fn) => {
      timers.push(fn);
      return { cancel: () => (timers = timers.filter((timer) => timer !== fn)) };
    },
  };
  let held: () => void = () => undefined;
  let resolveStore: (store: Store) => void = () => undefined;
  let rejectStore: (error: Error) => void = () => undefined;
  const openStore: StorageParts["openStore"] = (onHeld) => {
    held = onHeld;
    return new Promise((resolve, reject) => {
      resolveStore = resolve;
      rejectStore = reject;
    });
  };
  const settings: StorageParts["settings"] = {
    listSettings: async ({ tenant }) => [{ name: tenant, value: "", modifiedUnixMillis: 0 }],
    setSetting: async ({ setting }) => {
      events.push(`set ${setting.name}`);
      return setting;
    },
    deleteSetting: async ({ name }) => {
      events.push(`delete ${name}`);
    },
  };
  const rules: StorageParts["rules"] = {
    provisionRules: async ({ ofAll }) => Promise.reject(new Error(`${ofAll.length} rules`)),
    listRules: async ({ tenant }) => Promise.reject(new Error(`rules of ${tenant}`)),
    upsertRule: async ({ rule }) => Promise.reject(new Error(`upsert of ${rule.id}`)),
    deleteRule: async ({ id }) => Promise.reject(new Error(`delete of ${id}`)),
    recorded: async ({ tenants }) => ({ series: [], failureCount: tenants.length }),
  };
  const adHoc: StorageParts["adHoc"] = {
    uploadAdHoc: async ({ name }) => Promise.reject(new Error(`upload of ${name}`)),
    getAdHoc: async ({ id }) => Promise.reject(new Error(`get of ${id}`)),
    listAdHoc: async ({ tenant }) => [{ id: tenant, name: "", uploadedUnixMillis: 0 }],
    diffAdHoc: async ({ leftId }) => Promise.reject(new Error(`diff of ${leftId}`)),
  };
  const log = createLogger("info", "storage", { write: (line) => logLines.push(line) });
  const storage = createStorage({
    ...{ openStore, settings, rules, adHoc, queryLimits: DEFAULT_QUERY_LIMITS, clock, log },
    compactionIntervalMs: 60_000,
    ...parts,
  });
  return {
    storage,
    events,
    logLines,
    hold: () => held(),
    fail: (error) => rejectStore(error),
    open(store = {}) {
      const closable = {
        close: async () => {
          events.push("close");
        },
        status: () => ({ blockCount: 7 }) as StoreStatus,
        applyRetention: async () => {
          events.push("retention");
          return { deletedBlockCount: 0, heldBlockCount: 0, overBudgetBlockCount: 0 };
        },
        compact: async () => {
          events.push("compaction");
          return {
            mergeCount: 0,
            replacedBlockCount: 0,
            writtenBlockCount: 0,
            rollUpCount: 0,
            failureCount: 0,
          };
        },
        ...store,
      };
      resolveStore(closable as unknown as Store);
    },
    async tick() {
      const due = timers;
      timers = [];
      for (const fn of due) fn();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe("createStorage", () => {
  it("is opened when the directory is held, and ready when the store is open", async () => {
    const { storage, hold, open } = createFixture();
    const states: string[] = [];
    const ready = storage.ready().then(() => states.push("ready"));

    hold();
    await storage.opened();
    states.push("opened");
    open();
    await ready;

    expect(states).toEqual(["opened", "ready"]);
  });

  it("makes calls wait for the store", async () => {
    const { storage, open } = createFixture();

    const status = storage.status();
    open();

    expect((await status).blockCount).toBe(7);
  });

  it("keeps settings once the store is open", async () => {
    const { storage, events, open } = createFixture();

    const settings = storage.listSettings({ tenant: "a" });
    open();
    await storage.setSetting({ tenant: "a", setting: { name: "x", value: "1", modifiedUnixMillis: 1 } });
    await storage.deleteSetting({ tenant: "a", name: "x" });

    expect(await settings).toMatchObject([{ name: "a" }]);
    expect(events).toEqual(["set x", "delete x"]);
  });

  it("lists uploaded files once the store is open", async () => {
    const { storage, open } = createFixture();

    const files = storage.listAdHoc({ tenant: "a" });
    open();

    expect(await files).toMatchObject([{ id: "a" }]);
  });

  it("sweeps by the retention of tenants that have their own", async () => {
    const { storage, open, tick } = createFixture();
    const asked: unknown[] = [];
    open({
      applyRetention: async (tenants) => {
        asked.push(tenants);
        return { deletedBlockCount: 0, heldBlockCount: 0, overBudgetBlockCount: 0 };
      },
    });
    await storage.ready();

    const tenants = new Map([["a", { retentionMillis: 5 }]]);
    await storage.setRetention(tenants);
    await tick();
    await storage.setRetention(new Map());
    await tick();

    expect(asked).toEqual([tenants, new Map()]);
  });

  it.for([
    { does: "compacts", compactionIntervalMs: 60_000, expected: ["compaction"] },
    { does: "leaves compaction to others", compactionIntervalMs: undefined, expected: [] },
  ])("$does after a deletion", async ({ compactionIntervalMs, expected }) => {
    const { storage, events, open } = createFixture({ compactionIntervalMs });
    const report = { blockCount: 1, quarantinedBlockCount: 0 };
    open({ deleteApplication: async () => report });

    expect(await storage.deleteApplication({ tenant: "a", service: "shop" })).toEqual(report);

    expect(events).toEqual(expected);
  });

  it("rejects every call when the store cannot be opened", async () => {
    const { storage, fail } = createFixture();
    const locked = new ReceiverError("held by process 7", { code: "STORAGE_LOCKED" });

    fail(locked);

    await expect(storage.opened()).rejects.toBe(locked);
    await expect(storage.ready()).rejects.toBe(locked);
    await expect(storage.status()).rejects.toBe(locked);
    await expect(storage.listSettings({ tenant: "a" })).rejects.toBe(locked);
  });

  it("names the data directory when the disk is in the way", async () => {
    const { storage, fail } = createFixture();

    fail(new Error("EACCES: permission denied, mkdir '/data'"));

    await expect(storage.opened()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: "opening the data directory: EACCES: permission denied, mkdir '/data'",
    });
  });

  it("sweeps old blocks again and again, also after a sweep that failed, until it is closed", async () => {
    const { storage, events, logLines, open, tick } = createFixture();
    let sweepCount = 0;
    open({
      applyRetention: async () => {
        sweepCount++;
        if (sweepCount === 1) throw new Error("disk on fire");
        return { deletedBlockCount: 2, heldBlockCount: 0, overBudgetBlockCount: 0 };
      },
    });
    await storage.ready();

    await tick();
    await tick();
    await storage.close();
    await tick();

    expect(sweepCount).toBe(2);
    expect(logLines.join()).toContain("disk on fire");
    expect(logLines.join()).toContain('"deletedBlockCount":2');
    expect(events.filter((event) => event !== "compaction")).toEqual(["close"]);
  });

  it("merges blocks again and again, also after a pass that failed, until it is closed", async () => {
    const { storage, logLines, open, tick } = createFixture();
    let passCount = 0;
    open({
      compact: async () => {
        passCount++;
        if (passCount === 1) throw new Error("no memory left");
        return {
          mergeCount: 3,
          replacedBlockCount: 6,
          writtenBlockCount: 3,
          rollUpCount: 0,
          failureCount: 0,
        };
      },
    });
    await storage.ready();
    await tick();
    await tick();
    await storage.close();
    await tick();

    expect(passCount).toBe(2);
    expect(logLines.join()).toContain("no memory left");
    expect(logLines.join()).toContain('"mergeCount":3');
  });

  it("closes the store once, however often it is asked", async () => {
    const { storage, events, open } = createFixture();
    open();

    await Promise.all([storage.close(), storage.close()]);

    expect(events).toEqual(["close"]);
  });
});
