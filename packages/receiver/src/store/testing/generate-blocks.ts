import { join } from "node:path";
import { systemClock } from "../../clock.ts";
import { type BlockOrigin, commitBlock } from "../commit-block.ts";
import { copyTable, orderOf } from "../copy-table.ts";
import { Duckdb } from "../duckdb.ts";
import { dataPaths } from "../filenames.ts";
import { nodeFs } from "../node-fs.ts";
import type { TableName } from "../schema.ts";

const MEBIBYTE = 1024 * 1024;
/** Time of the first profile: long ago. */
export const GENERATED_BEGIN_MS = 1_760_054_400_000;
const SERVICES = 50;
/** Profile type of every profile. */
export const GENERATED_TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

/** How much is generated. */
export interface GeneratedShape {
  readonly blockCount: number;
  readonly profilesPerBlock: number;
  readonly samplesPerProfile: number;
  /** From the first profile to the last. */
  readonly spanMs: number;
}

/** Writes blocks by SQL: each of the 500 series has its own part of 200,000 stacks, the small numbers more often. */
export async function generateBlocks(directory: string, shape: GeneratedShape): Promise<void> {
  const paths = dataPaths(directory);
  for (const path of [paths.blocks, paths.building]) await nodeFs.makeDirectory(path);
  const database = await Duckdb.open({
    path: ":memory:",
    directory,
    temporaryDirectory: join(directory, "generator"),
    memoryLimitBytes: 2048 * MEBIBYTE,
    threadCount: 2,
  });
  const place = { fs: nodeFs, clock: systemClock, paths };
  const origin: BlockOrigin = {
    tenant: "anonymous",
    level: "raw",
    mergeCount: 0,
    segments: [],
    blocks: [],
    rolledUp: [],
  };
  for (let block = 0; block < shape.blockCount; block++) {
    const first = block * shape.profilesPerBlock;
    await commitBlock(place, origin, async (target) => {
      const selects = selectsOf(shape, first);
      const rows = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
      for (const table of ["totals", "samples", "series", "stacks", "frames"] as const) {
        const select = `WITH profiles AS MATERIALIZED (${selects.profiles}), rows AS MATERIALIZED (${selects.samples})
 SELECT * FROM (${selects[table === "samples" ? "allSamples" : table]}) ORDER BY ${orderOf(table)}`;
        rows[table] = await copyTable(database, target, table, select);
      }
      const nanos = (profile: number): bigint =>
        BigInt(
          Math.trunc(
            GENERATED_BEGIN_MS + (profile * shape.spanMs) / (shape.blockCount * shape.profilesPerBlock),
          ),
        ) * 1_000_000n;
      const services = Array.from({ length: SERVICES }, (_, i) => `service-${i}`);
      return {
        minUnixNanos: nanos(first),
        maxUnixNanos: nanos(first + shape.profilesPerBlock - 1),
        rows,
        spanRows: 0,
        types: [GENERATED_TYPE],
        services: services.toSorted(),
      };
    });
  }
  database.close();
}

function selectsOf(
  shape: GeneratedShape,
  first: number,
): Readonly<Record<TableName | "profiles" | "allSamples", string>> {
  const stepMs = shape.spanMs / (shape.blockCount * shape.profilesPerBlock);
  const profiles = `SELECT '${GENERATED_TYPE}' AS type, 'service-' || (p % ${SERVICES}) AS service, hash(p % 500) AS series,
 make_timestamp_ns((${GENERATED_BEGIN_MS} + floor(p * ${stepMs}))::BIGINT * 1000000) AS time,
 md5(p::VARCHAR)::UUID AS profile, p FROM range(${first}, ${first + shape.profilesPerBlock}) AS t(p)`;
  const samples = `SELECT DISTINCT ON (profile, number) type, service, series, time, profile,
 (hash(p, i) % 4000 * (hash(p, i, 1) % 4000) // 4000 + 4000 * (p % 50)) AS number FROM profiles, range(${shape.samplesPerProfile}) AS s(i)`;
  const stacks = `SELECT hash(number) AS stack, list_transform(range(20), k -> hash(k * 7 + (number // (k + 1)) % 3000)) AS frames FROM (SELECT DISTINCT number FROM rows)`;
  return {
    profiles,
    samples,
    allSamples: `SELECT type, service, series, time, profile, hash(number) AS stack, (10000000 + number % 7)::BIGINT AS "value",
 NULL::UBIGINT AS span_id, NULL::UUID AS trace_id FROM rows`,
    totals: `SELECT type, service, series, time, profile, sum(10000000 + number % 7)::BIGINT AS total, count(*)::INTEGER AS samples,
 1::INTEGER AS profiles, 10000000000 AS duration, 10000000 AS period FROM rows GROUP BY ALL`,
    series: `SELECT DISTINCT type, service, series, map(['service_name'], [service]) AS labels FROM profiles`,
    stacks,
    frames: `SELECT frame, 'function-' || frame AS "function", '' AS system_name, 'file-' || (frame % 200) || '.js' AS file,
 1::BIGINT AS start_line, 7::BIGINT AS line, false AS inlined, '' AS mapping, '' AS build_id, 0::UBIGINT AS address
 FROM (SELECT DISTINCT unnest(frames) AS frame FROM (${stacks}))`,
  };
}
