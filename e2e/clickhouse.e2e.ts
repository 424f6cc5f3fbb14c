import { createRequire } from "node:module";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ClickHouseEngine } from "../packages/receiver/src/store/clickhouse/clickhouse-engine.ts";
import {
  bucketSource,
  type ClickHouseSource,
  globOf,
  SAMPLE_COLUMNS,
} from "../packages/receiver/src/store/clickhouse/clickhouse-source.ts";
import { nodeFs } from "../packages/receiver/src/store/node-fs.ts";
import type { S3Options } from "../packages/receiver/src/store/s3-blobs.ts";
import { S3Blobs } from "../packages/receiver/src/store/s3-blobs.ts";
import { hasCeph, startCeph } from "./harness/ceph.ts";
import { compareEngines, fillForEngines } from "./harness/engine-answers.ts";
import { hasPostgres } from "./harness/postgres.ts";
import { SharedStores } from "./harness/shared-stores.ts";

const QUERIES = Number(process.env.CLICKHOUSE_QUERIES ?? 200);
const CHDB = { chdb: "3.4.0" };

/** ClickHouse within this process, as a server is reached. */
async function openClickHouse(): Promise<Client> {
  const script = new URL("../scripts/install-on-demand.mjs", import.meta.url).href;
  const { installOnDemand } = (await import(script)) as {
    installOnDemand(name: string, dependencies: Readonly<Record<string, string>>): string;
  };
  const folder = installOnDemand("clickhouse", CHDB);
  const require = createRequire(join(folder, "package.json"));
  const { createChdbConnection } = require(`${Object.keys(CHDB)[0]}/connection`) as {
    readonly createChdbConnection: (options: { readonly path: string }) => never;
  };
  return createClient({ connection: createChdbConnection({ path: ":memory:" }) } as never);
}

/** Files of a directory, which this process sees as the store does. */
function fileSource(directory: string): ClickHouseSource {
  return (paths) =>
    `file('${directory}/${globOf(paths)}', 'Parquet', '${SAMPLE_COLUMNS.replaceAll("'", "\\'")}')`;
}

type Client = ReturnType<typeof createClient>;

describe.skipIf(process.env.CLICKHOUSE === undefined || !hasPostgres)(
  "the engine of ClickHouse",
  { timeout: 600_000 },
  () => {
    const stores = new SharedStores();
    let client: Client;
    let queryCount: number;
    beforeAll(async () => {
      client = await openClickHouse();
      await stores.start();
    }, 300_000);
    beforeEach(async () => {
      queryCount = 0;
      await stores.reset();
    });
    afterEach(() => stores.closeStores());
    afterAll(async () => {
      await stores.stop();
      await client?.close();
    });

    function engineOf(source: ClickHouseSource): ClickHouseEngine {
      const counted: Pick<Client, "query" | "close"> = {
        query: ((parameters: Parameters<Client["query"]>[0]) => {
          queryCount++;
          return client.query(parameters);
        }) as Client["query"],
        // The one engine of the process is for all tests.
        close: async () => undefined,
      };
      return new ClickHouseEngine({ client: counted, source, name: "chdb", secrets: [] });
    }

    it(`answers ${QUERIES} random queries as DuckDB does`, async () => {
      const clock = await fillForEngines(stores);

      const engine = engineOf(fileSource(join(stores.directory, "bucket")));
      await compareEngines(stores, { engine }, clock, QUERIES);

      expect(queryCount).toBeGreaterThan(QUERIES / 2);
      process.stdout.write(`clickhouse: ${QUERIES} queries, ${queryCount} of them asked of ClickHouse\n`);
    });

    describe.skipIf(!hasCeph)("over Ceph", () => {
      let s3: S3Options;
      let stop: () => Promise<void>;
      beforeAll(async () => {
        const ceph = await startCeph();
        ({ stop } = ceph);
        s3 = { ...(await ceph.bucket("clickhouse")), prefix: "some/where/" };
      }, 240_000);
      afterAll(() => stop?.(), 60_000);

      it.for([
        { how: "keys in its queries", namedCollection: undefined },
        { how: "a named collection", namedCollection: "the `bucket`" },
      ])("reads the objects by s3 with $how", async ({ namedCollection }) => {
        const blobs = await S3Blobs.create(nodeFs, {
          ...s3,
          prefix: `${s3.prefix}${String(namedCollection !== undefined)}/`,
        });
        const place = { ...s3, prefix: `${s3.prefix}${String(namedCollection !== undefined)}/` };
        if (namedCollection !== undefined) {
          const { accessKeyId, secretAccessKey } = s3.credentials!;
          await client.command({
            query: `CREATE NAMED COLLECTION IF NOT EXISTS \`the \\\`bucket\\\`\` AS url = '${s3.endpoint}/${s3.bucket}/',
 access_key_id = '${accessKeyId}', secret_access_key = '${secretAccessKey}'`,
          });
        }
        stores.useBlobs(blobs);
        const clock = await fillForEngines(stores);

        const engine = engineOf(bucketSource({ s3: place, cluster: undefined, namedCollection }));
        await compareEngines(stores, { engine }, clock, 20);

        expect(queryCount).toBeGreaterThan(10);
      });
    });
  },
);
