import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FORMAT_VERSION, TABLE_NAMES, tables } from "./schema.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

const DAY_MS = 86_400_000;

describe("schema", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("is what docs/storage-format.md says", async () => {
    const docs = await readFile(new URL("../../../../docs/storage-format.md", import.meta.url), "utf8");

    for (const { file, row, order, columns } of Object.values(tables)) {
      const names = order.map((name) => `\`${name}\``).join(", ");
      const rows = columns.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`).join("\n");
      expect(docs).toContain(
        `### ${file}\n\nOne row per ${row}.\nOrdered by ${names}.\n\n| column | type | holds |\n|---|---|---|\n${rows}\n\n`,
      );
    }
    expect(docs).toContain(`| ${FORMAT_VERSION} | `);
  });

  it.for(TABLE_NAMES)("is what the head and a block have for %s, and what nothing has", async (table) => {
    const store = await directory.open();
    const describeTable = async (tenant: string): Promise<readonly string[]> =>
      await withSnapshot(store, everything(tenant), async ({ database, from }) => {
        const result = await database.select(
          `SELECT column_name || ' ' || column_type AS line FROM (DESCRIBE SELECT * FROM ${from(table)})`,
        );
        return result.texts("line");
      });
    const expected = tables[table].columns.map(({ name, type }) => `${name} ${type}`);
    await store.append(
      plainAdmission("a", [{ service: "s", timeUnixMillis: 0, samples: [{ stack: ["main"], value: 1 }] }]),
    );

    expect(await describeTable("nobody")).toEqual(expected);
    expect(await describeTable("a")).toEqual(expected);
    await store.flush();
    expect(await describeTable("a")).toEqual(expected);
  });

  it("is the order of the rows on disk", async () => {
    const begin = Date.parse("2026-01-01T00:00:00Z");
    const clock = new ManualClock(begin);
    const store = await directory.open({ clock });
    const orderKept = async (isMerged: boolean): Promise<readonly [table: string, isKept: boolean][]> => {
      const kept: [string, boolean][] = [];
      for (const table of TABLE_NAMES) {
        const { order, flushedOrderLength = order.length } = tables[table];
        const columns = order.slice(0, isMerged ? order.length : flushedOrderLength);
        const terms = [...columns.map((name) => `"${name}"`), "file_row_number"].join(", ");
        const rows = await withSnapshot(store, everything("a"), async ({ database, from }) => {
          const files = /read_parquet\((\[.*?\])\)/.exec(from(table))?.[1];
          return await database.select(
            `SELECT coalesce(bool_and("inOrder"), false) AS "isKept" FROM (
 SELECT row_number() OVER (ORDER BY ${terms}) - 1 = file_row_number AS "inOrder"
 FROM read_parquet(${files}, file_row_number = true))`,
          );
        });
        kept.push([table, rows.booleans("isKept")[0] === 1]);
      }
      return kept;
    };
    for (let i = 0; i < 40; i++) {
      const samples = Array.from({ length: 9 }, (_, k) => ({
        stack: ["main", `f${(i * 7 + k * 5) % 23}`],
        value: 1 + k,
      }));
      const timeUnixMillis = begin + ((i * 13) % 40) * 1000;
      await store.append(plainAdmission("a", [{ service: `s${(i * 3) % 4}`, timeUnixMillis, samples }]));
      if (i === 38) {
        await store.flush();
        expect(await orderKept(false)).toEqual(TABLE_NAMES.map((table) => [table, true]));
      }
    }
    await store.flush();
    clock.advance(DAY_MS);
    await store.compact();

    expect(store.status().blockCount).toBe(1);
    expect(await orderKept(true)).toEqual(TABLE_NAMES.map((table) => [table, true]));
  });
});
