import { createLabelExplosion } from "../../../e2e/harness/label-explosion.ts";
import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

const SERIES_PER_PUSH = 2000;
const MAX_SERIES = 20_000;
/** Pushes of the other tenant before the first of them. */
const ALONE_COUNT = 1000;

/** What a million label sets of one tenant cost, and what another tenant notices. */
export async function benchSeries(seriesCount = 1_000_000): Promise<void> {
  const directory = await makeDataDirectory();
  const flags = [
    ...["--log-level", "error", "--auth.multitenancy-enabled", "--ingestion-rate-mb", "0"],
    ...["--max-global-series-per-tenant", String(MAX_SERIES)],
  ];
  const receiver = await startReadyReceiver({ directory: directory.path, flags });
  const push = async (tenant: string, body: Uint8Array): Promise<number> => {
    const headers = { "content-type": "application/proto", "x-scope-orgid": tenant };
    const url = `${receiver.address}/push.v1.PusherService/Push`;
    const response = await fetch(url, { method: "POST", headers, body });
    await response.arrayBuffer();
    return response.status;
  };
  const pid = receiver.process.pid ?? 0;
  const loud = createLabelExplosion("sessions");
  const quiet = createLabelExplosion("quiet");
  const quietBodies = quiet.next(1);
  const quietMs: number[] = [];
  let isRunning = true;
  const pushQuiet = async (millis: number[]): Promise<void> => {
    const begin = performance.now();
    const status = await push("quiet", quietBodies);
    if (status !== 200) throw new Error(`the other tenant was answered ${status}`);
    millis.push(performance.now() - begin);
  };
  const aloneMs: number[] = [];
  for (let i = 0; i < ALONE_COUNT; i++) await pushQuiet(aloneMs);
  const other = (async () => {
    while (isRunning) await pushQuiet(quietMs);
  })();
  let sent = 0;
  const sendUntil = async (count: number): Promise<number> => {
    let most = 0;
    for (; sent < count; sent += SERIES_PER_PUSH) {
      await push("loud", loud.next(SERIES_PER_PUSH));
      most = Math.max(most, residentMb(pid));
    }
    return most;
  };
  // Past the limit, and as much again, so that what is measured next is beyond it alone.
  const atLimit = await sendUntil(4 * MAX_SERIES);
  const atEnd = await sendUntil(seriesCount);
  isRunning = false;
  await other;
  const metrics = await (await fetch(`${receiver.address}/metrics`)).text();
  const refused = /discarded_samples_total\{reason="series_limit",tenant="loud"\} (\d+)/.exec(metrics)?.[1];
  printTable(
    `${sent} label sets of one tenant whose limit is ${MAX_SERIES}`,
    ["what", "measured", "goal"],
    [
      ["refused as series_limit", refused ?? "none", String(sent - MAX_SERIES)],
      ["resident memory at the limit, MB at most", atLimit.toFixed(0), ""],
      ["resident memory beyond it, MB at most", atEnd.toFixed(0), (1.1 * atLimit).toFixed(0)],
      ["pushes of another tenant, all answered 200", String(quietMs.length), ""],
      [
        "their ms p50, and before the other tenant came",
        `${quantile(quietMs, 0.5)} ${quantile(aloneMs, 0.5)}`,
        "",
      ],
      ["their ms p99, and before", `${quantile(quietMs, 0.99)} ${quantile(aloneMs, 0.99)}`, ""],
    ],
  );
  await receiver.stop();
  await directory.remove();
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1);
}
