import { rm } from "node:fs/promises";
import { join } from "node:path";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import {
  makeDataDirectory,
  type ReceiverProcess,
  runReceiver,
  startReadyReceiver,
} from "./harness/receiver-process.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SOURCE_TENANT = "old-team";
const TOKEN = "t0ken-of-the-source";
const CPU = "process_cpu:cpu:nanoseconds::";
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;

/** Series of one service differ in a label that one of them does not have, so that a careless selector takes both. */
const series = [
  { service_name: "shop" },
  { service_name: "shop", pod: "a" },
  { service_name: "shop", pod: "b", "a.b": "dotted" },
  { service_name: 'quo"ted\\' },
];

let removals: (() => Promise<void>)[] = [];
let source: ReceiverProcess;
let target: ReceiverProcess | undefined;
let targetDirectory: string;

beforeEach(async () => {
  const made = [await makeDataDirectory(), await makeDataDirectory()] as const;
  removals = made.map(({ remove }) => remove);
  targetDirectory = made[1].path;
  const flags = [
    ...["--log-level", "error", "--reject-older-than", "0", "--auth.multitenancy-enabled"],
    ...["--auth-token", `push=${TOKEN},read=${TOKEN}`],
  ];
  source = await startReadyReceiver({ directory: made[0].path, flags });
});

afterEach(async () => {
  await source.stop("SIGKILL");
  await target?.stop("SIGKILL");
  target = undefined;
  for (const remove of removals) await remove();
});

const credentials = { authorization: `Bearer ${TOKEN}`, "x-scope-orgid": SOURCE_TENANT };

/** Pushes a profile of each series at several times of three days, each with a value of its own. */
async function fillSource(): Promise<void> {
  const client = createReceiverClient(source.address).pusher();
  let value = 1;
  for (let day = 3; day >= 1; day--) {
    for (const offsetMs of [0, 10 * 60_000, HOUR_MS - 1, 23 * HOUR_MS, DAY_MS - 1]) {
      for (const labels of series) {
        const unixMillis = TODAY - day * DAY_MS + offsetMs;
        const profile = profileFromText(
          Array(1 + (value % 7))
            .fill("main")
            .join("  "),
          {
            timeUnixNanos: BigInt(unixMillis) * 1_000_000n,
            sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
          },
        );
        value++;
        const pairs = Object.entries({ __name__: "process_cpu", ...labels }).map(([name, text]) => ({
          name,
          value: text,
        }));
        await client.push(
          { series: [{ labels: pairs, samples: [{ rawProfile: encodePprof(profile) }] }] },
          { headers: credentials },
        );
      }
    }
  }
}

function startImport(): ReturnType<typeof runReceiver> {
  const args = ["import", "--from", source.address, "--since", "3d", "--storage-path", targetDirectory];
  return runReceiver([...args, "--from-tenant", SOURCE_TENANT], { PYROSCOPE_FROM_TOKEN: TOKEN });
}

/** Totals per series and day, as a server tells them. */
async function readTotals(
  client: ReceiverClient,
  headers: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const totals: Record<string, string> = {};
  for (let day = 3; day >= 1; day--) {
    const start = BigInt(TODAY - day * DAY_MS);
    const range = { start, end: start + BigInt(DAY_MS) - 1n };
    for (const [name, labelSelector] of Object.entries({
      shop: '{service_name="shop"}',
      a: '{service_name="shop",pod="a"}',
      dotted: '{"a.b"="dotted"}',
      quoted: '{service_name="quo\\"ted\\\\"}',
    })) {
      const request = { ...range, profileTypeID: CPU, labelSelector };
      const { flamegraph } = await client.querier().selectMergeStacktraces(request, { headers });
      totals[`${day} days ago, ${name}`] = String(flamegraph?.total ?? 0n);
    }
  }
  return totals;
}

it("copies a server's history: totals per service and day are equal, however often it runs or is killed", {
  timeout: 240_000,
}, async () => {
  await fillSource();
  const expected = await readTotals(createReceiverClient(source.address), credentials);
  expect(Object.values(expected)).not.toContain("0");

  const killed = startImport();
  await killed.waitForOutput("1 types");
  killed.process.kill("SIGKILL");
  await killed.result;
  const resumed = await startImport().result;
  expect(resumed).toMatchObject({ code: 0, stderr: "" });
  expect(resumed.stdout).toMatch(/^\d{4}-\d\d-\d\d: 1 types, 4 series, 8 profiles$/m);
  // Today counts once its first hour is over.
  expect(resumed.stdout).toMatch(/^16 profiles of [23] days, 1 days done before$/m);
  expect((await startImport().result).stdout).toMatch(/^0 profiles of [01] days, 3 days done before$/m);
  // Without what it noted about itself it reads everything again, which counts once.
  await rm(join(targetDirectory, "imports"), { recursive: true });
  expect(await startImport().result).toMatchObject({ code: 0 });

  target = await startReadyReceiver({ directory: targetDirectory, flags: ["--log-level", "error"] });
  expect(await readTotals(createReceiverClient(target.address), {})).toEqual(expected);
});

it("says what is wrong", async () => {
  const run = (...args: readonly string[]) =>
    runReceiver(["import", "--storage-path", targetDirectory, ...args]).result;

  expect(await run("--from", "pyroscope:4040")).toMatchObject({
    code: 2,
    stderr:
      'pyroscope: from="pyroscope:4040": expected the address of a server, such as http://pyroscope:4040\n',
  });
  expect((await run("--from", source.address, "--step", "7h")).stderr).toContain(
    'step="7h": expected a duration that divides a day',
  );
  const refused = await run("--from", source.address, "--from-token", "wrong");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`ProfileTypes of ${source.address}: Unauthenticated`);
  expect(refused.stderr).toContain("--from-token and --from-user say who asks");
  target = await startReadyReceiver({ directory: targetDirectory, flags: ["--log-level", "error"] });
  const held = await run("--from", source.address);
  expect(held.stderr).toContain(`the data directory is in use by process ${target.process.pid}`);
});
