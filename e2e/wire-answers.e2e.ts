import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { discardReasons } from "../packages/receiver/src/ingest/discard-reasons.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";
import { grpcRows } from "./wire-answers/grpc-rows.ts";
import { ingestRows } from "./wire-answers/ingest-rows.ts";
import { keptRows } from "./wire-answers/kept-rows.ts";
import { labelRows } from "./wire-answers/label-rows.ts";
import { otlpRows } from "./wire-answers/otlp-rows.ts";
import { profileRows } from "./wire-answers/profile-rows.ts";
import { pushRows } from "./wire-answers/push-rows.ts";
import { queryRows } from "./wire-answers/query-rows.ts";
import { renderRows } from "./wire-answers/render-rows.ts";
import { seriesRows } from "./wire-answers/series-rows.ts";
import { type WireRow, type WireServer, wireServer } from "./wire-answers/wire-row.ts";

const rows: readonly WireRow[] = [
  ...ingestRows,
  ...pushRows,
  ...otlpRows,
  ...labelRows,
  ...profileRows,
  ...queryRows,
  ...seriesRows,
  ...renderRows,
  ...keptRows,
  ...grpcRows,
];
/** One tenant for each row, which has its limits and nothing of other rows. */
const tenantOf = (row: WireRow) => `row-${rows.indexOf(row)}`;

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  data = await makeDataDirectory();
  const limits = join(data.path, "limits.yaml");
  const overrides = Object.fromEntries(rows.map((row) => [tenantOf(row), row.limits ?? {}]));
  // JSON is YAML.
  await writeFile(limits, JSON.stringify({ overrides }));
  receiver = await startReadyReceiver({
    directory: join(data.path, "data"),
    flags: [
      ...["--log-level", "error", "--auth.multitenancy-enabled", "--runtime-config.file", limits],
      // Of messages of Connect, which are read before their tenant's limits are asked for.
      ...["--ingestion-body-limit-mb", "8"],
    ],
  });
});

afterAll(async () => {
  await receiver.stop();
  await data.remove();
});

/** Matches a text as a row says it: whole, or what it is like. */
function like(expected: string | RegExp): unknown {
  return typeof expected === "string" ? expected : expect.stringMatching(expected);
}

/** Why profiles were counted as discarded, by tenant: each reason as often as it was counted. */
async function countedReasons(): Promise<ReadonlyMap<string, string>> {
  const { text } = await wireServer(receiver.address, "anyone").fetch("/metrics");
  const counted = text.matchAll(
    /^pyroscope_discarded_samples_total\{reason="(\w+)",tenant="([^"]*)"\} (\d+)$/gm,
  );
  const reasons = new Map<string, string[]>();
  for (const [, reason = "", tenant = "", count] of counted) {
    reasons.set(
      tenant,
      [...(reasons.get(tenant) ?? []), ...Array<string>(Number(count)).fill(reason)].sort(),
    );
  }
  return new Map(Array.from(reasons, ([tenant, ofTenant]) => [tenant, ofTenant.join(", ")]));
}

/** What the doctor has found of a tenant. */
async function findings(server: WireServer): Promise<string> {
  const { text } = await server.fetch("/api/v1/doctor");
  const { tenants } = JSON.parse(text) as { tenants: { findings: { reason: string; advice: string }[] }[] };
  const refusals = tenants
    .flatMap(({ findings }) => findings)
    .filter(({ reason }) => reason !== "unknown_service");
  expect(refusals.filter(({ advice }) => advice === "")).toEqual([]);
  return refusals
    .map(({ reason }) => reason)
    .sort()
    .join(", ");
}

describe("the answers of Pyroscope's protocols", () => {
  it.for(rows)("$row", async (row) => {
    const server = wireServer(receiver.address, tenantOf(row), row.over);
    if (row.before !== undefined) expect((await row.before(server)).status).toBe(200);

    const answer = await row.call(server);

    expect([answer.status, answer.code]).toEqual([row.status, row.code]);
    if (row.text !== undefined) expect(answer.text).toEqual(like(row.text));
    const headers = Object.entries(row.headers ?? {});
    expect(headers.map(([name]) => [name, answer.headers.get(name)])).toEqual(
      headers.map(([name, value]) => [name, like(value)]),
    );
    expect(await findings(server)).toBe(row.reason ?? "");
  });

  it("come with a count of each refusal by its reason, and of nothing else", async () => {
    const counted = await countedReasons();

    expect(rows.map((row) => [row.row, counted.get(tenantOf(row)) ?? ""])).toEqual(
      rows.map((row) => [row.row, row.reason ?? ""]),
    );
  });

  it("reach every reason that a client can bring about", () => {
    const reached = new Set(rows.flatMap(({ reason }) => reason?.split(", ") ?? []));
    const ours = ["storage_unavailable", "overloaded", "unknown"];

    expect(Object.keys(discardReasons).filter((reason) => !reached.has(reason))).toEqual(ours);
  });

  it("are looked at once each", () => {
    expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(500);
  });
});
