import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Duckdb, quoteSql } from "./duckdb.ts";
import { QueryDatabase } from "./query-database.ts";

// Hours of work for this machine, stopped as soon as someone asks.
const ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = -1";

let directory: string;
let database: Duckdb;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-duckdb-"));
  database = await open();
});
afterEach(async () => {
  database.close();
  await rm(directory, { recursive: true });
});

function open(): Promise<Duckdb> {
  return Duckdb.open({
    path: join(directory, "catalog.duckdb"),
    directory,
    temporaryDirectory: join(directory, "spill"),
    memoryLimitBytes: 256 * 1024 * 1024,
    threadCount: 2,
  });
}

describe("Duckdb.select", () => {
  it("gives each type its column, over more than one chunk", async () => {
    const result = await database.select(
      `SELECT range AS b, range::UBIGINT + 9223372036854775808 AS u, range::INTEGER AS i, range / 2 AS d, range % 2 = 1 AS t,
 'text ' || range AS v, make_timestamp_ns(range) AS ts, [range::UBIGINT, 7] AS l, ['x' || range, 'y'] AS s,
 '00112233-4455-6677-8899-aabbccddeeff'::UUID AS uuid
 FROM range(5000)`,
    );

    expect(result.rowCount).toBe(5000);
    expect(result.bigints("b")[4999]).toBe(4999n);
    expect(result.ids("u")[4999]).toBe(2n ** 63n + 4999n);
    expect(result.integers("i")[4999]).toBe(4999);
    expect(result.doubles("d")[4999]).toBe(2499.5);
    expect([...result.booleans("t").subarray(4998)]).toEqual([0, 1]);
    expect(result.texts("v")[4999]).toBe("text 4999");
    expect(result.bigints("ts")[4999]).toBe(4999n);
    const { start, items } = result.idLists("l");
    expect([...items.subarray(start[4999], start[5000])]).toEqual([4999n, 7n]);
    const texts = result.textLists("s");
    expect(texts.items.slice(texts.start[4999], texts.start[5000])).toEqual(["x4999", "y"]);
    expect(result.texts("uuid")[4999]).toBe("00112233-4455-6677-8899-aabbccddeeff");
  });

  it("gives NULL as nothing of its type", async () => {
    const result = await database.select(
      `SELECT nullif(x, 2)::BIGINT AS b, nullif(x, 2)::UBIGINT AS u, nullif(x, 2)::DOUBLE AS d, nullif(x::VARCHAR, '2') AS v,
 CASE WHEN x <> 2 THEN [x::UBIGINT] END AS l FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x`,
    );

    expect([...result.bigints("b")]).toEqual([1n, 0n, 3n]);
    expect([...result.ids("u")]).toEqual([1n, 0n, 3n]);
    expect([...result.doubles("d")]).toEqual([1, 0, 3]);
    expect(result.texts("v")).toEqual(["1", "", "3"]);
    expect(result.idLists("l")).toEqual({
      start: Uint32Array.of(0, 1, 1, 2),
      items: BigUint64Array.of(1n, 3n),
    });
  });

  it("gives empty columns where there is no row", async () => {
    const result = await database.select("SELECT 1::BIGINT AS b, ['x'] AS l WHERE false");

    expect(result.bigints("b")).toHaveLength(0);
    expect(result.textLists("l")).toEqual({ start: Uint32Array.of(0), items: [] });
  });

  it("takes parameters of every kind", async () => {
    const values = ["it's", 1, 1.5, -1n, 2n ** 64n - 1n, true, null];

    const result = await database.select(
      "SELECT ? || '' AS a, ?::INTEGER AS b, ?::DOUBLE AS c, ?::BIGINT AS d, ?::UBIGINT AS e, ?::BOOLEAN AS f, ? IS NULL AS g",
      values,
    );

    expect(result.texts("a")).toEqual(["it's"]);
    expect([result.integers("b")[0], result.doubles("c")[0]]).toEqual([1, 1.5]);
    expect([result.bigints("d")[0], result.ids("e")[0]]).toEqual([-1n, 2n ** 64n - 1n]);
    expect([result.booleans("f")[0], result.booleans("g")[0]]).toEqual([1, 1]);
  });

  it.for([
    [
      "a sum beyond int64",
      "SELECT sum(x)::BIGINT AS s FROM (VALUES (9223372036854775807), (1)) AS t(x)",
      "OUT_OF_RANGE",
    ],
    [
      "an addition beyond int64",
      "SELECT 9223372036854775807 + x AS s FROM (VALUES (1::BIGINT)) AS t(x)",
      "OUT_OF_RANGE",
    ],
    ["a type that has no column", "SELECT sum(1) AS s", "INTERNAL"],
    ["a file that is gone", "SELECT * FROM read_parquet('DIRECTORY/none.parquet')", "STORAGE_UNAVAILABLE"],
    ["more memory than there is", "SELECT list(range) AS l FROM range(200000000)", "RESOURCE_EXHAUSTED"],
  ] as const)("refuses %s", async ([, sql, code]) => {
    await expect(database.select(sql.replace("DIRECTORY", directory))).rejects.toMatchObject({ code });
  });

  it("stops when the signal aborts, and when it had before", async () => {
    const controller = new AbortController();
    const running = database.select(ENDLESS, [], controller.signal);
    controller.abort();

    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(database.select("SELECT 1", [], AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
    const result = await database.select("SELECT 1::BIGINT AS one");
    expect(result.bigints("one")[0]).toBe(1n);
  });

  it("reaches the data directory and nothing else", async () => {
    const file = join(directory, "it's [a] *.parquet");
    await database.run(`COPY (SELECT 1 AS a) TO ${quoteSql(file)}`);
    const result = await database.select(`SELECT a FROM read_parquet([${quoteSql(file)}])`);

    expect(result.integers("a")[0]).toBe(1);
    for (const sql of [
      "SELECT * FROM read_text('/etc/hostname')",
      "COPY (SELECT 1) TO '/tmp/escaped.parquet'",
      "ATTACH '/tmp/escaped.duckdb'",
      "INSTALL httpfs",
      "SET enable_external_access = true",
    ]) {
      await expect(database.run(sql)).rejects.toThrow();
    }
  });
});

describe("Duckdb.createAppender", () => {
  it("appends every type, over more than one chunk", async () => {
    await database.run(
      "CREATE TABLE head.t (a BIGINT, b UBIGINT, c INTEGER, d BOOLEAN, e VARCHAR, f UUID, g UBIGINT[], h VARCHAR[])",
    );
    const appender = await database.createAppender("t", [
      "BIGINT",
      "UBIGINT",
      "INTEGER",
      "BOOLEAN",
      "VARCHAR",
      "UUID",
      "UBIGINT[]",
      "VARCHAR[]",
    ]);
    const rows = Array.from({ length: 3000 }, (_, i) => i);
    const start = Uint32Array.from([...rows, 3000]);

    appender.append(
      [
        BigInt64Array.from(rows, (i) => -BigInt(i)),
        BigUint64Array.from(rows, (i) => 2n ** 64n - 1n - BigInt(i)),
        Int32Array.from(rows),
        Uint8Array.from(rows, (i) => i % 2),
        rows.map((i) => (i % 2 === 0 ? "" : `text with more than twelve bytes ${i}`)),
        BigUint64Array.from(rows.flatMap((i) => [BigInt(i), 0xffee_0000_0000_0000n])),
        { start, items: BigUint64Array.from(rows, BigInt) },
        { start, items: rows.map(String) },
      ],
      0,
      3000,
    );

    const result = await database.select("SELECT * FROM head.t WHERE c IN (0, 2999) ORDER BY c");
    expect([...result.bigints("a")]).toEqual([0n, -2999n]);
    expect([...result.ids("b")]).toEqual([2n ** 64n - 1n, 2n ** 64n - 3000n]);
    expect([...result.booleans("d")]).toEqual([0, 1]);
    expect(result.texts("e")).toEqual(["", "text with more than twelve bytes 2999"]);
    expect(result.texts("f")).toEqual([
      "ffee0000-0000-0000-0000-000000000000",
      "ffee0000-0000-0000-0000-000000000bb7",
    ]);
    expect([...result.idLists("g").items]).toEqual([0n, 2999n]);
    expect(result.textLists("h").items).toEqual(["0", "2999"]);
    appender.close();
  });

  it("appends lists of any length, also in a chunk that held longer ones before", async () => {
    await database.run("CREATE TABLE head.l (a INTEGER, b UBIGINT[], c VARCHAR[])");
    const appender = await database.createAppender("l", ["INTEGER", "UBIGINT[]", "VARCHAR[]"]);
    const lengths = Array.from({ length: 5000 }, (_, row) => (row * 7) % 40);
    const start = new Uint32Array(lengths.length + 1);
    lengths.forEach((length, row) => {
      start[row + 1] = start[row]! + length;
    });
    const items = BigUint64Array.from({ length: start.at(-1)! }, (_, i) => BigInt(i) << 40n);
    const columns = [
      Int32Array.from(lengths.keys()),
      { start, items },
      { start, items: [...items].map(String) },
    ];

    appender.append(columns, 0, 4500);
    appender.append(columns, 4500, 5000);
    appender.close();

    const rows = await database.select("SELECT a, b, c FROM head.l ORDER BY a");
    expect(rows.idLists("b").start).toEqual(start);
    expect(rows.idLists("b").items).toEqual(items);
    expect(rows.textLists("c").items).toEqual([...items].map(String));
  });
});

describe("QueryDatabase", () => {
  it("runs so many queries at once and hands turns on, also past those who left", async () => {
    const queries = new QueryDatabase(database, 1);
    const first = new AbortController();
    const second = new AbortController();
    const running = queries.select(ENDLESS, [], first.signal);
    const leaving = queries.select("SELECT 1::BIGINT AS x", [], second.signal);
    const last = queries.select("SELECT 2::BIGINT AS x");

    second.abort();
    await expect(leaving).rejects.toMatchObject({ code: "CANCELLED" });
    first.abort();
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });

    expect((await last).bigints("x")[0]).toBe(2n);
    expect((await queries.select("SELECT 3::BIGINT AS x")).bigints("x")[0]).toBe(3n);
  });
});
