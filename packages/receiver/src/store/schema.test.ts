import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FORMAT_VERSION, TABLE_NAMES, tables } from "./schema.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

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
    const store = await directory.open();
    for (let i = 0; i < 40; i++) {
      const samples = Array.from({ length: 9 }, (_, k) => ({
        stack: ["main", `f${(i * 7 + k * 5) % 23}`],
        value: 1 + k,
      }));
      await store.append(
        plainAdmission("a", [
          { service: `s${(i * 3) % 4}`, timeUnixMillis: ((i * 13) % 40) * 1000, samples },
        ]),
      );
    }
    await store.flush();

    for (const table of TABLE_NAMES) {
      const order = tables[table].order.map((name) => `"${name}"`).join(", ");
      const rows = await withSnapshot(store, everything("a"), async ({ database, from }) => {
        const files = /read_parquet\((\[.*?\])\)/.exec(from(table))?.[1];
        return await database.select(
          `SELECT row_number() OVER (ORDER BY ${order}, file_row_number) - 1 = file_row_number AS "inOrder"
 FROM read_parquet(${files}, file_row_number = true)`,
        );
      });
      expect(rows.booleans("inOrder")).toEqual(new Uint8Array(rows.rowCount).fill(1));
    }
  });
});
