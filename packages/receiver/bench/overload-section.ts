import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { loopLag } from "./loop-lag.ts";
import { PushClient } from "./push-client.ts";
import { createPushSource, GO_LIKE, type PushSource } from "./pushes.ts";
import { residentMb } from "./resident.ts";
import { printTable } from "./table.ts";

/** Times the capacity. */
const OVERLOAD = 10;
/** Connections that keep the receiver busy and no more. */
const STEADY_CLIENTS = 16;
/** More pushes than these without an answer are not sent: the bench would measure itself. */
const MAX_OPEN = 2000;
const TICK_MS = 5;
const RECOVERY_SECONDS = 10;

/** What came of pushes for a time. */
interface Outcome {
  readonly perSecond: number;
  readonly sentPerSecond: number;
  readonly unsent: number;
  /** Pushes whose connection ended without an answer. */
  readonly brokenCount: number;
  readonly refused: number;
  readonly withoutRetryAfter: number;
  readonly otherStatuses: ReadonlySet<number>;
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
  readonly healthMs: readonly number[];
  /** Latest that the event loop of the HTTP thread was in each stretch between two looks. */
  readonly loopLagMs: readonly number[];
  /** The same of a process with nothing to do: what the machine and the generator take. */
  readonly idleHealthMs: readonly number[];
  readonly idleLoopLagMs: readonly number[];
  readonly residentMb: number;
}

/**
 * Far more pushes than the receiver can take, however long their answers take: what gets through, what the rest hears, and
 * how it is afterwards.
 */
export async function benchOverload(seconds = 60): Promise<void> {
  const directory = await makeDataDirectory();
  const receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
  const idle = await startIdleProcess();
  const target = { address: receiver.address, pid: receiver.process.pid ?? 0, idleAddress: idle.address };
  const source = createPushSource(GO_LIKE);
  const steady = () => push(target, source, { forSeconds: RECOVERY_SECONDS, clients: STEADY_CLIENTS });
  await steady();
  const before = await steady();
  const rate = OVERLOAD * before.perSecond;
  const during = await push(target, source, { forSeconds: seconds, perSecond: rate });
  const after = await steady();
  printTable(
    `${rate.toFixed(0)} pushes a second for ${seconds} s, ${OVERLOAD} times what ${STEADY_CLIENTS} clients get through`,
    ["what", "measured", "goal"],
    [
      [`accepted a second, ${STEADY_CLIENTS} clients before`, before.perSecond.toFixed(0), ""],
      ["sent a second, overload", during.sentPerSecond.toFixed(0), rate.toFixed(0)],
      ["accepted a second, overload", during.perSecond.toFixed(0), (0.8 * before.perSecond).toFixed(0)],
      [`accepted a second, ${STEADY_CLIENTS} clients after`, after.perSecond.toFixed(0), ""],
      ["refused with 503 or 429 in overload", String(during.refused), ""],
      ["of these without Retry-After", String(during.withoutRetryAfter), "0"],
      ["not sent, since too many had no answer", String(during.unsent), ""],
      ["without an answer", String(during.brokenCount), "0"],
      ["other statuses", [...during.otherStatuses].join(", ") || "none", "none"],
      ["refused afterwards", String(after.refused), "0"],
      ["accepted before, ms p99", quantile(before.acceptedMs, 0.99), ""],
      ["accepted, ms p50", quantile(during.acceptedMs, 0.5), ""],
      ["accepted, ms p99", quantile(during.acceptedMs, 0.99), "1000"],
      ["refused, ms p99", quantile(during.refusedMs, 0.99), ""],
      ["health endpoint, ms p50", quantile(during.healthMs, 0.5), ""],
      ["health endpoint, ms p99", quantile(during.healthMs, 0.99), "100"],
      ["the same of an idle process, ms p99", quantile(during.idleHealthMs, 0.99), ""],
      ["event loop late in a second, ms p50", quantile(during.loopLagMs, 0.5), ""],
      ["event loop late in a second, ms p99", quantile(during.loopLagMs, 0.99), "200"],
      ["the same of an idle process, ms p99", quantile(during.idleLoopLagMs, 0.99), ""],
      ["resident memory before, MB at most", before.residentMb.toFixed(0), ""],
      ["resident memory, MB at most", during.residentMb.toFixed(0), "768"],
    ],
  );
  idle.stop();
  await receiver.stop();
  await directory.remove();
}

interface Target {
  readonly address: string;
  readonly pid: number;
  readonly idleAddress: string;
}

async function startIdleProcess(): Promise<{ readonly address: string; stop(): void }> {
  const script = fileURLToPath(new URL("idle-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { address: String(line).trim(), stop: () => void child.kill() };
}

/** Either so many clients, each with its next push when it has an answer, or so many pushes a second. */
type Load = { readonly forSeconds: number } & ({ readonly clients: number } | { readonly perSecond: number });

async function push(target: Target, source: PushSource, load: Load): Promise<Outcome> {
  const client = new PushClient(target.address, MAX_OPEN);
  const acceptedMs: number[] = [];
  const refusedMs: number[] = [];
  const otherStatuses = new Set<number>();
  let sentCount = 0;
  let unsent = 0;
  let brokenCount = 0;
  let withoutRetryAfter = 0;
  const untaken: Uint8Array[] = Array.from({ length: MAX_OPEN }, () => source.next().body);
  const begin = performance.now();
  const end = begin + load.forSeconds * 1000;
  const sendOne = async (): Promise<void> => {
    // To make one costs more than to send it: what was not taken is sent again.
    const body = untaken.pop() ?? source.next().body;
    const sent = performance.now();
    sentCount++;
    const answer = await client.send(body).catch(() => undefined);
    if (answer === undefined) {
      brokenCount++;
      return;
    }
    const { status, retryAfter } = answer;
    const millis = performance.now() - sent;
    if (status === 200) acceptedMs.push(millis);
    else untaken.push(body);
    if (status === 200) return;
    if (status === 503 || status === 429) {
      refusedMs.push(millis);
      if (retryAfter === undefined) withoutRetryAfter++;
    } else otherStatuses.add(status);
  };
  const sendInTurn = async (): Promise<void> => {
    while (performance.now() < end) await sendOne();
  };
  const sendInTime = async (perSecond: number): Promise<void> => {
    const open = new Set<Promise<void>>();
    let due = 0;
    for (let now = begin; now < end; now = performance.now()) {
      for (; due < ((now - begin) / 1000) * perSecond; due++) {
        if (open.size >= MAX_OPEN) {
          unsent++;
          continue;
        }
        const one: Promise<void> = sendOne().finally(() => open.delete(one));
        open.add(one);
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(open);
  };
  const watching = watch(target, end);
  if ("clients" in load) await Promise.all(Array.from({ length: load.clients }, sendInTurn));
  else await sendInTime(load.perSecond);
  client.close();
  return {
    ...(await watching),
    perSecond: acceptedMs.length / load.forSeconds,
    sentPerSecond: sentCount / load.forSeconds,
    unsent,
    brokenCount,
    refused: refusedMs.length,
    withoutRetryAfter,
    otherStatuses,
    acceptedMs,
    refusedMs,
  };
}

async function watch(
  { address, pid, idleAddress }: Target,
  end: number,
): Promise<Pick<Outcome, "healthMs" | "loopLagMs" | "idleHealthMs" | "idleLoopLagMs" | "residentMb">> {
  const healthMs: number[] = [];
  const loopLagMs: number[] = [];
  const idleHealthMs: number[] = [];
  const idleLoopLagMs: number[] = [];
  let most = 0;
  for (let i = 0; performance.now() < end; i++) {
    healthMs.push(await ask(`${address}/healthz`));
    idleHealthMs.push(await ask(idleAddress));
    if (i % 5 === 0) {
      loopLagMs.push(await loopLag(address));
      idleLoopLagMs.push(Number(await (await fetch(`${idleAddress}/lag`)).text()));
    }
    most = Math.max(most, residentMb(pid));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { healthMs, loopLagMs, idleHealthMs, idleLoopLagMs, residentMb: most };
}

/** How long an answer takes, in milliseconds. */
async function ask(url: string): Promise<number> {
  const asked = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return performance.now() - asked;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1);
}
