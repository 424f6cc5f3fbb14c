import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/receiver/src/clock.ts";
import type { Blobs } from "../../packages/receiver/src/store/blobs.ts";
import { DirectoryBlobs } from "../../packages/receiver/src/store/directory-blobs.ts";
import { nodeFs } from "../../packages/receiver/src/store/node-fs.ts";
import { Postgres } from "../../packages/receiver/src/store/shared/postgres.ts";
import {
  openSharedStore,
  type SharedStoreOptions,
} from "../../packages/receiver/src/store/shared/shared-store.ts";
import type { Store } from "../../packages/receiver/src/store/store.ts";
import { FaultyBlobs } from "../../packages/receiver/src/store/testing/faulty-blobs.ts";
import {
  type PlainProfile,
  plainAdmission,
} from "../../packages/receiver/src/store/testing/plain-profile.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

/** A moment for profiles. */
export const NOON = 1_760_011_200_000;

/** A profile of a service that nobody deletes. */
export function profileAt(timeUnixMillis: number, value = 10): PlainProfile {
  return { service: "shop", timeUnixMillis, samples: [{ stack: ["main", "work"], value }] };
}

/** Stores of processes that share a bucket, here a directory, and PostgreSQL. */
export class SharedStores {
  /** What the stores logged since the last {@link reset}. */
  readonly lines: string[] = [];
  readonly #stores: Store[] = [];
  #server: PostgresServer | undefined;
  #admin: Postgres | undefined;
  #blobs: FaultyBlobs | undefined;
  #directory: string | undefined;
  #count = 0;

  get server(): PostgresServer {
    return this.#server ?? notStarted();
  }

  /** A connection of the test's own. */
  get admin(): Postgres {
    return this.#admin ?? notStarted();
  }

  get blobs(): FaultyBlobs {
    return this.#blobs ?? notStarted();
  }

  /** Has the bucket, and a directory for each process. */
  get directory(): string {
    return this.#directory ?? notStarted();
  }

  async start(): Promise<void> {
    this.#server = await startPostgres();
    this.#admin = await Postgres.create(this.#server.url);
  }

  /** An empty bucket and an empty database. */
  async reset(): Promise<void> {
    await this.admin.query("DROP SCHEMA public CASCADE");
    await this.admin.query("CREATE SCHEMA public");
    this.#directory = await mkdtemp(join(tmpdir(), "pyroscope-shared-"));
    this.#blobs = new FaultyBlobs(new DirectoryBlobs(nodeFs, join(this.#directory, "bucket")));
    this.lines.length = 0;
  }

  /** Another bucket, until the next {@link reset}. */
  useBlobs(blobs: Blobs): void {
    this.#blobs = new FaultyBlobs(blobs);
  }

  async closeStores(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((store) => store.close()));
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.#admin?.close();
    await this.#server?.stop();
  }

  readonly open = async (options: Partial<SharedStoreOptions> = {}): Promise<Store> => {
    const store = await openSharedStore({
      directory: join(this.directory, `process-${this.#count++}`),
      fs: nodeFs,
      clock: systemClock,
      blobs: this.blobs,
      maxLocalBytes: 1e9,
      postgres: await Postgres.create(this.server.url),
      role: { writes: true, reads: true, compacts: true },
      retentionMillis: 0,
      log: (line) => this.lines.push(line),
      ...options,
    });
    this.#stores.push(store);
    return store;
  };

  /** Writes profiles of tenant `a`, without the second that they would wait for others. */
  readonly append = async (store: Store, ...profiles: readonly PlainProfile[]): Promise<void> => {
    const appended = store.append(plainAdmission("a", profiles));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([appended, store.flush()]);
  };
}

/** Vitest's, of the block whose tests use the stores. */
interface TestHooks {
  beforeAll(act: () => Promise<void>, timeoutMs: number): void;
  beforeEach(act: () => Promise<void>): void;
  afterEach(act: () => Promise<void>): void;
  afterAll(act: () => Promise<void>): void;
}

/** Stores with an empty bucket and an empty database for each test. */
export function useSharedStores({ beforeAll, beforeEach, afterEach, afterAll }: TestHooks): SharedStores {
  const shared = new SharedStores();
  beforeAll(() => shared.start(), 60_000);
  beforeEach(() => shared.reset());
  afterEach(() => shared.closeStores());
  afterAll(() => shared.stop());
  return shared;
}

function notStarted(): never {
  throw new Error("the stores were not started");
}
