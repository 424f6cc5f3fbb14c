import { setTimeout as sleep } from "node:timers/promises";
import { createLabelExplosion } from "../../../e2e/harness/label-explosion.ts";
import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

const SERIES_PER_PUSH = 2000;
const MAX_SERIES = 20_000;
/** Between two pushes of the other tenant. */
const QUIET_EVERY_MS = 5;
/** How long the loud one goes on and pauses, in turn. */
const STRETCH_MS = 3000;
/** Of these pauses: enough to compare, and a million label sets end within minutes. */
const PAUSE_COUNT = 10;
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
  const quiet = await startQuietTenant((body) => push("quiet", body));
  let sent = 0;
  let since = 0;
  let pausesLeft = PAUSE_COUNT;
  const sendUntil = async (count: number): Promise<number> => {
    let most = 0;
    for (; sent < count; sent += SERIES_PER_PUSH) {
      if (since > 0 && pausesLeft > 0 && performance.now() - since > STRETCH_MS) {
        quiet.measureInto("paused");
        await sleep(STRETCH_MS);
        // Behind the last pause there is none to compare with.
        quiet.measureInto(--pausesLeft > 0 ? "beside" : "afterwards");
        since = performance.now();
      }
      await push("loud", loud.next(SERIES_PER_PUSH));
      most = Math.max(most, residentMb(pid));
    }
    return most;
  };
  // Past the limit, and as much again, so that what is measured next is beyond it alone.
  const atLimit = await sendUntil(4 * MAX_SERIES);
  // Of the time beyond the limit every other stretch is without the loud one: the same store, machine and moment.
  quiet.measureInto("beside");
  since = performance.now();
  const atEnd = await sendUntil(seriesCount);
  const { alone, beside, paused } = await quiet.stop();
  const metrics = await (await fetch(`${receiver.address}/metrics`)).text();
  const refused = /discarded_samples_total\{reason="series_limit",tenant="loud"\} (\d+)/.exec(metrics)?.[1];
  printTable(
    `${sent} label sets of one tenant whose limit is ${MAX_SERIES}`,
    ["what", "measured", "goal"],
    [
      ["refused as series_limit", refused ?? "none", String(sent - MAX_SERIES)],
      ["resident memory at the limit, MB at most", atLimit.toFixed(0), ""],
      ["resident memory beyond it, MB at most", atEnd.toFixed(0), (1.1 * atLimit).toFixed(0)],
      [
        "pushes of another tenant beside it, and in its pauses, all answered 200",
        `${beside.length} ${paused.length}`,
        "",
      ],
      ...[0.5, 0.99].map((share): [string, string, string] => [
        `their ms p${100 * share} beside it, in its pauses, before it came`,
        [beside, paused, alone].map((millis) => quantile(millis, share)).join(" "),
        share === 0.99 ? "beside at most 1.2 times in pauses" : "",
      ]),
    ],
  );
  await receiver.stop();
  await directory.remove();
}

/** When the pushes of the other tenant were sent: before the loud one, while it reaches its limit, beside it, in its pauses, behind them. */
type Times = Record<"alone" | "filling" | "beside" | "paused" | "afterwards", number[]>;

/** A tenant that pushes one series again and again, and takes the time. */
async function startQuietTenant(push: (body: Uint8Array) => Promise<number>): Promise<{
  measureInto(stretch: keyof Times): void;
  stop(): Promise<Times>;
}> {
  const body = createLabelExplosion("quiet").next(1);
  const times: Times = { alone: [], filling: [], beside: [], paused: [], afterwards: [] };
  let stretch: keyof Times = "alone";
  let isRunning = true;
  const pushOne = async (): Promise<void> => {
    const into = times[stretch];
    const begin = performance.now();
    const status = await push(body);
    if (status !== 200) throw new Error(`the other tenant was answered ${status}`);
    into.push(performance.now() - begin);
    await sleep(QUIET_EVERY_MS);
  };
  while (times.alone.length < ALONE_COUNT) await pushOne();
  stretch = "filling";
  const running = (async () => {
    while (isRunning) await pushOne();
  })();
  return {
    measureInto: (next) => {
      stretch = next;
    },
    stop: async () => {
      isRunning = false;
      await running;
      return times;
    },
  };
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1);
}
