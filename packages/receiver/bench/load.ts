// A receiver under steady load, beside one query a second:
//     node --conditions=@pyroscope-ts/source packages/receiver/bench/load.ts [seconds] [pushes a second] [saturate]
// `saturate` then pushes as fast as the receiver answers, for a tenth of the time.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createReceiverClient } from "../../../e2e/harness/client.ts";
import {
  makeDataDirectory,
  type ReceiverProcess,
  startReadyReceiver,
} from "../../../e2e/harness/receiver-process.ts";
import { PushClient } from "./push-client.ts";
import { createPushSource, GO_LIKE, type PushSource } from "./pushes.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";
import { readThreadCpu, subtractCpu } from "./thread-cpu.ts";

const FLAGS = ["--log-level", "error", "--reject-older-than", "0"];
const CONNECTIONS = 64;
const PROFILE_TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

const [seconds = "300", rate = "200", mode = ""] = process.argv.slice(2);

/** What the load's own ledger says. */
interface Ledger {
  sent: number;
  acknowledged: number;
  refused: number;
  /** Sum of the samples of what was acknowledged. */
  total: bigint;
  readonly ackMs: number[];
  readonly queryMs: number[];
}

const directory = await makeDataDirectory();
const delayFile = join(directory.path, "loop-delay.json");
const preload = fileURLToPath(new URL("loop-delay.mjs", import.meta.url));
const env = { NODE_OPTIONS: `--import=${preload}`, LOOP_DELAY_FILE: delayFile };
const storage = join(directory.path, "data");
const source = createPushSource(GO_LIKE);
const receiver = await startReadyReceiver({ directory: storage, flags: FLAGS, env });
const steady = await runLoad(receiver, Number(seconds), Number(rate), source);
const saturation = mode === "saturate" ? await saturate(receiver, Number(seconds) / 10, source) : undefined;
await receiver.stop("SIGTERM");
const delay = JSON.parse(readFileSync(delayFile, "utf8")) as { readonly p50: number; readonly p99: number };
const lost = await countLost(steady.ledger.total + (saturation?.total ?? 0n));
await directory.remove();

const { ledger, cpu, wallMs, rssMb } = steady;
const perProfile = (1000 * cpu.total) / ledger.acknowledged;
printTable(
  `${rate} Go-like pushes a second for ${seconds} s, one query a second`,
  ["what", "measured", "goal"],
  [
    ["acknowledged", `${ledger.acknowledged} of ${ledger.sent}`, "all"],
    ["value lost", String(lost), "0"],
    ["acknowledgement, ms p50", quantile(ledger.ackMs, 0.5), ""],
    ["acknowledgement, ms p99", quantile(ledger.ackMs, 0.99), "250"],
    ["query, ms p50", quantile(ledger.queryMs, 0.5), ""],
    ["resident memory, MB at most", rssMb.toFixed(0), "600"],
    ["event loop of the HTTP thread, ms late p99", delay.p99.toFixed(1), "20"],
    ["CPU, % of one core", ((100 * cpu.total) / wallMs).toFixed(0), "150"],
    ["CPU, us for each push, queries and flushes too", perProfile.toFixed(0), ""],
    [
      "of it HTTP thread, storage thread, others",
      [cpu.http, cpu.storage, cpu.others]
        .map((millis) => ((1000 * millis) / ledger.acknowledged).toFixed(0))
        .join(", "),
      "",
    ],
    [
      "pushes a second at saturation",
      saturation === undefined ? "not asked" : saturation.rate.toFixed(0),
      "",
    ],
  ],
);

async function runLoad(target: ReceiverProcess, forSeconds: number, perSecond: number, pushes: PushSource) {
  const client = new PushClient(target.address, CONNECTIONS);
  const total = Math.round(forSeconds * perSecond);
  const state: Ledger = { sent: 0, acknowledged: 0, refused: 0, total: 0n, ackMs: [], queryMs: [] };
  const pid = target.process.pid ?? 0;
  const before = readThreadCpu(pid);
  const begin = performance.now();
  let memory = 0;
  const waiting = new Set<Promise<void>>();
  let nextQuery = begin + 1000;
  while (state.sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * perSecond));
    for (; state.sent < due; state.sent++) track(waiting, push(client, pushes, state));
    if (performance.now() >= nextQuery) {
      nextQuery += 1000;
      track(waiting, query(target, state));
      memory = Math.max(memory, residentMb(pid));
    }
    await sleep(2);
  }
  await Promise.all(waiting);
  const after = readThreadCpu(pid);
  client.close();
  if (before === undefined || after === undefined) throw new Error("the receiver is gone");
  const cpu = subtractCpu(after, before);
  return { ledger: state, cpu, wallMs: performance.now() - begin, rssMb: memory };
}

async function saturate(target: ReceiverProcess, forSeconds: number, pushes: PushSource) {
  const client = new PushClient(target.address, CONNECTIONS);
  const state: Ledger = { sent: 0, acknowledged: 0, refused: 0, total: 0n, ackMs: [], queryMs: [] };
  const begin = performance.now();
  const end = begin + forSeconds * 1000;
  const write = async (): Promise<void> => {
    while (performance.now() < end) await push(client, pushes, state);
  };
  await Promise.all(Array.from({ length: 16 }, write));
  client.close();
  return { total: state.total, rate: (1000 * state.acknowledged) / (performance.now() - begin) };
}

async function push(client: PushClient, pushes: PushSource, state: Ledger): Promise<void> {
  const { body, total } = pushes.next();
  const begin = performance.now();
  const status = await client.push(body);
  if (status !== 200) {
    state.refused++;
    return;
  }
  state.ackMs.push(performance.now() - begin);
  state.acknowledged++;
  state.total += total;
}

async function query(target: ReceiverProcess, state: Ledger): Promise<void> {
  const begin = performance.now();
  const parameters = new URLSearchParams({
    query: `${PROFILE_TYPE}{service_name="service-3"}`,
    from: "now-1h",
    until: "now",
  });
  const response = await fetch(`${target.address}/render?${parameters}`);
  await response.arrayBuffer();
  if (response.ok) state.queryMs.push(performance.now() - begin);
}

function track(waiting: Set<Promise<void>>, work: Promise<void>): void {
  const done = work.finally(() => waiting.delete(done));
  waiting.add(done);
}

/** What is missing after a restart of the sum of everything that was acknowledged. */
async function countLost(expected: bigint): Promise<bigint> {
  const again = await startReadyReceiver({ directory: storage, flags: FLAGS });
  const request = {
    profileTypeID: PROFILE_TYPE,
    labelSelector: "{}",
    ...{ start: 1n, end: BigInt(Date.now() + 3_600_000) },
  };
  const answer = await createReceiverClient(again.address).querier().selectMergeStacktraces(request);
  await again.stop("SIGTERM");
  return expected - (answer.flamegraph?.total ?? 0n);
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1);
}
