import { readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BlockViews, openBlockViews } from "./block-views.ts";
import { formatCsv, formatTextTable } from "./format-text-table.ts";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { tables } from "./schema.ts";
import type { Store } from "./store.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import { StoreDirectory } from "./testing/store-directory.ts";

const SPAN = "00000000000000ab";
const TRACE = `00${"c".repeat(30)}`;

describe("openBlockViews", () => {
  let directory: StoreDirectory;
  let store: Store;
  let views: BlockViews | undefined;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    store = await directory.open();
    const samples = [
      { stack: ["main", "evil\u001b[31m"], value: "9007199254740993", span: SPAN, trace: TRACE },
    ];
    await store.append(plainAdmission("a", [{ service: 's,"1"', timeUnixMillis: 1000, samples }]));
    await store.flush();
  });
  afterEach(async () => {
    await views?.close();
    views = undefined;
    await directory.remove();
  });

  async function open(): Promise<BlockViews> {
    views = await openBlockViews({ fs: nodeFs, directory: directory.path, tenant: "a", level: "raw" });
    return views;
  }

  it("names what the tables only number, while a receiver has the directory", async () => {
    const { select } = await open();

    expect(
      await select(
        `SELECT service, labels['service_name'], path, "function", "value", span_id, trace_id FROM samples`,
      ),
    ).toEqual({
      columns: ["service", "labels['service_name']", "path", "function", "value", "span_id", "trace_id"],
      rows: [['s,"1"', 's,"1"', "main;evil\u001b[31m", "evil\u001b[31m", "9007199254740993", SPAN, TRACE]],
    });
    for (const view of ["profiles", "totals", "series", "stacks", "frames"]) {
      expect((await select(`SELECT count(*) > 0 FROM ${view}`)).rows, view).toEqual([["true"]]);
    }
  });

  it("prints no control character, and NULL apart from an empty text", async () => {
    const { select, selectJson } = await open();
    const sql = `SELECT 'a' || chr(27) || '[2J' AS x, NULL AS x, '' AS y, 's,"1"' AS z`;

    expect(formatTextTable(await select(sql)).split("\n")[2]).toBe('a\\u001b[2J          s,"1"');
    expect(formatCsv(await select(sql))).toBe('x,x_1,y,z\na\\u001b[2J,,"","s,""1"""\n');
    expect(await selectJson(`SELECT chr(27) AS x, 9007199254740993 AS n`)).toEqual([
      '{"x":"\\u001B","n":9007199254740993}',
    ]);
    expect(formatTextTable(await select("SELECT 1 AS n WHERE false"))).toBe("n\n-\n");
  });

  it.for([
    "CREATE TABLE x (y INT)",
    "COPY (SELECT 1) TO 'blocks/x'",
    "SELECT 1; SELECT 2",
    "SELECT 1) AS t; COPY (SELECT 1",
    "ATTACH ':memory:' AS x",
    "SET threads = 1",
    "SELEKT 1",
    "SELECT nothing FROM samples",
    "SELECT * FROM read_text('/etc/hostname')",
    "",
  ])("refuses %j and writes nothing", async (sql) => {
    const { select } = await open();
    const before = await readdir(directory.path, { recursive: true });

    await expect(select(sql)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });

    expect(await readdir(directory.path, { recursive: true })).toEqual(before);
  });

  it("says what is not there: the log, and damaged blocks", async () => {
    await store.append(
      plainAdmission("a", [{ service: "s", timeUnixMillis: 1, samples: [{ stack: ["x"], value: 1 }] }]),
    );
    const [path] = await listBlockPaths(nodeFs, join(directory.path, "blocks"));
    await truncate(join(directory.path, "blocks", path!, tables.frames.file), 3);

    const { warnings, select } = await open();

    expect(warnings).toEqual([
      expect.stringMatching(/is left out: symdb\/frames.parquet has 3 bytes/),
      expect.stringContaining("segments: 1"),
    ]);
    expect((await select("SELECT count(*) FROM samples")).rows).toEqual([["0"]]);
  });

  it("refuses what is no data directory", async () => {
    const options = {
      fs: nodeFs,
      directory: join(directory.path, "wal"),
      tenant: "a",
      level: "raw",
    } as const;

    await expect(openBlockViews(options)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
