import { makeDataDirectory } from "../../../e2e/harness/receiver-process.ts";
import { systemClock } from "../src/clock.ts";
import { Querier } from "../src/query/querier.ts";
import { DEFAULT_QUERY_LIMITS, type StackQuery } from "../src/query/query-service.ts";
import type { Database } from "../src/store/database.ts";
import { openStore } from "../src/store/local-store.ts";
import { nodeFs } from "../src/store/node-fs.ts";
import type { Store } from "../src/store/store.ts";
import { GENERATED_BEGIN_MS, GENERATED_TYPE, generateBlocks } from "../src/store/testing/generate-blocks.ts";
import { printTable } from "./table.ts";

const HOUR_MS = 3_600_000;
/** 500 series of 50 services, a profile of 83 samples every 15 seconds: 10 million rows. */
const SHAPE = { blockCount: 1, profilesPerBlock: 120_000, samplesPerProfile: 84, spanMs: HOUR_MS - 1000 };
const ROUNDS = 5;
/** Of queries that take less than what V8 compiles of them while they are new. */
const SHORT_ROUNDS = 60;

interface Cost {
  readonly allMs: number;
  readonly sqlMs: number;
}

/** Queries over an hour of 10 million rows in one block, warm, and what a row and a stack take on disk. */
export async function benchMerge(): Promise<void> {
  const directory = await makeDataDirectory();
  try {
    await generateBlocks(directory.path, SHAPE);
    const store = await openStore({
      ...{ directory: directory.path, fs: nodeFs, clock: systemClock, expand: () => [], retentionMillis: 0 },
      log: (line) => process.stdout.write(`${line}\n`),
    });
    try {
      await measureQueries(store);
      await measureSize(store);
    } finally {
      await store.close();
    }
  } finally {
    await directory.remove();
  }
}

async function measureQueries(store: Store): Promise<void> {
  const meter = new SqlMeter();
  const queries = new Querier({
    store: meter.watch(store),
    limits: { ...DEFAULT_QUERY_LIMITS, maxFlamegraphNodesDefault: 8192, cacheBytes: 0 },
    clock: systemClock,
  });
  const query = (selector: string): StackQuery => ({
    ...{ tenants: ["anonymous"], profileType: GENERATED_TYPE, selector },
    startUnixMillis: GENERATED_BEGIN_MS,
    endUnixMillis: GENERATED_BEGIN_MS + HOUR_MS,
  });
  const one = query('{service_name="service-7"}');
  const all = query("{}");
  const series = { ...all, stepMs: 60_000, groupBy: ["service_name"] };
  const sums = (service: string) => sumStacks(meter.watch(store), service);
  const rows: readonly (readonly [string, Cost, number | undefined])[] = [
    ["sums by stack, one service", await meter.measure(() => sums("service-7")), 40],
    ["sums by stack, all services", await meter.measure(() => sums("")), 300],
    ["flame graph, one service", await meter.measure(() => queries.selectTree(one)), undefined],
    ["flame graph, all services", await meter.measure(() => queries.selectTree(all)), undefined],
    [
      `totals by service, 60 s (best of ${SHORT_ROUNDS})`,
      await meter.measure(() => queries.selectTimeSeries(series), SHORT_ROUNDS),
      15,
    ],
  ];
  printTable(
    `Queries over an hour of 10 million rows, warm (ms of CPU, best of ${ROUNDS})`,
    ["query", "all", "SQL and symbols", "tree and rest", "goal", "ratio"],
    rows.map(([name, { allMs, sqlMs }, goal]) => [
      name,
      ...[allMs, sqlMs, allMs - sqlMs].map((millis) => millis.toFixed(0)),
      goal === undefined ? "" : String(goal),
      goal === undefined ? "" : (allMs / goal).toFixed(2),
    ]),
  );
}

async function sumStacks(store: Store, service: string): Promise<void> {
  const range = { tenants: ["anonymous"], fromUnixNanos: 0n, untilUnixNanos: 2n ** 62n };
  const snapshot = await store.snapshot(range);
  const where = service === "" ? "" : `WHERE service = '${service}'`;
  await snapshot.database.select(
    `SELECT count(*) AS n, sum(total)::BIGINT AS total FROM (SELECT stack, sum(value) AS total FROM ${snapshot.from("samples")} ${where} GROUP BY stack)`,
  );
  snapshot.release();
}

async function measureSize(store: Store): Promise<void> {
  const snapshot = await store.snapshot({
    ...{ tenants: ["anonymous"], fromUnixNanos: 0n, untilUnixNanos: 2n ** 62n },
  });
  const count = async (table: "samples" | "stacks" | "totals"): Promise<number> => {
    const rows = await snapshot.database.select(`SELECT count(*) AS n FROM ${snapshot.from(table)}`);
    return Number(rows.bigints("n")[0]);
  };
  const [sizes] = snapshot.blockSizes;
  const rows = [];
  for (const table of ["samples", "totals", "stacks"] as const) {
    const n = await count(table);
    const bytes = sizes?.[table] ?? 0;
    rows.push([table, String(n), String(bytes), (bytes / n).toFixed(2)]);
  }
  snapshot.release();
  printTable("Size on disk", ["table", "rows", "bytes", "bytes a row"], rows);
}

/** Processor time of this process while SQL runs. */
class SqlMeter {
  #sqlMs = 0;

  /** The same store, its SQL counted. */
  watch(store: Store): Store {
    const select: (database: Database) => Database["select"] =
      (database) =>
      async (...call) => {
        const before = process.cpuUsage();
        const result = await database.select(...call);
        this.#sqlMs += millisSince(before);
        return result;
      };
    const snapshot: Store["snapshot"] = async (range) => {
      const real = await store.snapshot(range);
      const { database } = real;
      const metered = { run: database.run.bind(database), select: select(database) };
      return new Proxy(real, {
        get: (target, name) => (name === "database" ? metered : bindTo(target, Reflect.get(target, name))),
      });
    };
    return new Proxy(store, {
      get: (target, name) => (name === "snapshot" ? snapshot : bindTo(target, Reflect.get(target, name))),
    });
  }

  async measure(act: () => Promise<unknown>, rounds = ROUNDS): Promise<Cost> {
    const costs: Cost[] = [];
    for (let round = 0; round <= rounds; round++) {
      this.#sqlMs = 0;
      const before = process.cpuUsage();
      await act();
      costs.push({ allMs: millisSince(before), sqlMs: this.#sqlMs });
    }
    // The first one is the warm-up.
    return costs.slice(1).reduce((best, cost) => (cost.allMs < best.allMs ? cost : best));
  }
}

function bindTo(target: object, value: unknown): unknown {
  return typeof value === "function" ? value.bind(target) : value;
}

function millisSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
