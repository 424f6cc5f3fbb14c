import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Block } from "./block.ts";
import type { Lease } from "./catalog.ts";
import { Compactor } from "./compactor.ts";
import { Deletions } from "./deletions.ts";
import { dataPaths } from "./filenames.ts";
import { KnownIdentities } from "./known-identities.ts";
import { ROLL_UP_LEVELS } from "./level.ts";
import { LocalCatalog } from "./local-catalog.ts";
import { nodeFs } from "./node-fs.ts";
import { openDatabase } from "./open-database.ts";
import { Quarantine } from "./quarantine.ts";
import { DEFAULT_COMPACTION_LIMITS } from "./store-options.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import { StoreDirectory } from "./testing/store-directory.ts";

const MIDNIGHT = 1_760_054_400_000;
const DAY = 86_400_000;

/** Something happens just before someone takes blocks that he found free. */
class ContestedCatalog extends LocalCatalog {
  onLease: (() => Promise<unknown>) | undefined;

  override async lease(blocks: readonly Block[]): Promise<Lease | undefined> {
    const { onLease } = this;
    this.onLease = undefined;
    await onLease?.();
    return await super.lease(blocks);
  }
}

describe("two compactors", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("roll a day up once when one plans it before the other is done with it", async () => {
    const clock = new ManualClock(MIDNIGHT);
    const store = await directory.open({ clock });
    const samples = [{ stack: ["main"], value: 7 }];
    await store.append(plainAdmission("a", [{ service: "shop", timeUnixMillis: MIDNIGHT + 1, samples }]));
    await store.close();
    clock.advance(3 * DAY);

    const fs = nodeFs;
    const paths = dataPaths(directory.path);
    const log = (line: string): void => void directory.lines.push(line);
    const database = await openDatabase({ fs, paths, log });
    try {
      const quarantine = new Quarantine(fs, paths, log);
      const place = { fs, clock, paths };
      const catalog = new ContestedCatalog({ ...place, database, quarantine, log });
      await catalog.open();
      const deletions = new Deletions(fs, paths);
      const known = new KnownIdentities(database, catalog, deletions);
      const limits = { ...DEFAULT_COMPACTION_LIMITS, rollUpLevels: ROLL_UP_LEVELS.slice(0, 2) };
      const options = {
        ...place,
        database,
        known,
        deletions,
        limits,
        maxBytes: 0,
        isPast: () => false,
        forgetsSpans: () => false,
        log,
      };
      const first = new Compactor({ ...options, catalog });
      const second = new Compactor({ ...options, catalog });
      catalog.onLease = () => first.compact();
      await second.compact();

      expect(
        catalog
          .blocksOf("a")
          .map(({ meta }) => meta.level)
          .toSorted(),
      ).toEqual(["1h", "5m", "raw"]);
    } finally {
      database.close();
    }
  });
});
