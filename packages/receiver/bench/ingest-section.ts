import { setTimeout as sleep } from "node:timers/promises";
import {
  makeDataDirectory,
  type ReceiverProcess,
  startReadyReceiver,
} from "../../../e2e/harness/receiver-process.ts";
import { PushClient } from "./push-client.ts";
import { ALL_NEW, createPushBodies, GO_LIKE, NODE_LIKE, type PushKind } from "./pushes.ts";
import { printTable } from "./table.ts";
import { type CpuMillis, readThreadCpu, subtractCpu } from "./thread-cpu.ts";

const WRITER_COUNT = 8;
const GOAL_PER_CPU_SECOND = 900;

/** How many profiles make the receiver warm, and how many are measured. */
interface Counts {
  readonly warm: number;
  readonly measured: number;
}

// Profiles of more than an hour are pushed within seconds.
const FLAGS = ["--log-level", "error", "--reject-older-than", "0"];

const NO_CPU: CpuMillis = { total: 0, http: 0, storage: 0, others: 0 };

/**
 * From request to flushed block: a receiver in its own process, by the processor time of its threads. The time of the
 * last flush counts for the profiles that it writes.
 */
export async function benchIngest(): Promise<void> {
  const rows = [
    await measureKind(GO_LIKE, { warm: 2000, measured: 1500 }),
    await measureKind(ALL_NEW, { warm: 1000, measured: 800 }),
    await measureKind(NODE_LIKE, { warm: 4000, measured: 6000 }),
  ];
  const head = [
    "profiles",
    "raw B",
    "gzip B",
    "per CPU s",
    "of 900",
    "us each",
    "HTTP",
    "storage",
    "others",
    "flush",
  ];
  printTable("Ingest, request to flushed block (us of CPU for each profile)", head, rows);
}

async function measureKind(kind: PushKind, { warm, measured }: Counts): Promise<readonly string[]> {
  const { bodies, rawBytes, gzipBytes } = createPushBodies(kind, warm + measured, Date.now());
  const directory = await makeDataDirectory();
  const receiver = await startReadyReceiver({ directory: directory.path, flags: FLAGS });
  try {
    await pushAll(receiver, bodies.slice(0, warm));
    // Flushes run in the background; what they take is not the next profiles'.
    await sleep(3000);
    const waiting = await readHeadProfiles(receiver);
    const begin = readReceiver(receiver);
    await pushAll(receiver, bodies.slice(warm));
    const pushed = readReceiver(receiver);
    const append = subtractCpu(pushed, begin);
    const flush = subtractCpu(await stop(receiver), pushed);
    const flushMicros = (1000 * flush.total) / (waiting + measured);
    const perProfile = (millis: number): number => (1000 * millis) / measured;
    const micros = perProfile(append.total) + flushMicros;
    const rate = 1e6 / micros;
    const stages = [append.http, append.storage, append.others].map(perProfile);
    return [
      kind.name,
      ...[rawBytes, gzipBytes, rate].map((value) => value.toFixed(0)),
      (rate / GOAL_PER_CPU_SECOND).toFixed(2),
      ...[micros, ...stages, flushMicros].map((value) => value.toFixed(0)),
    ];
  } finally {
    await receiver.stop("SIGKILL");
    await directory.remove();
  }
}

async function pushAll(receiver: ReceiverProcess, bodies: readonly Uint8Array[]): Promise<void> {
  const client = new PushClient(receiver.address, WRITER_COUNT);
  let next = 0;
  const write = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const status = await client.push(body);
      if (status !== 200) throw new Error(`a push was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: WRITER_COUNT }, write));
  client.close();
}

function readReceiver({ process: { pid = 0 } }: ReceiverProcess): CpuMillis {
  return readThreadCpu(pid) ?? NO_CPU;
}

async function readHeadProfiles({ address }: ReceiverProcess): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return Number(/^pyroscope_storage_head_profiles (\S+)/m.exec(metrics)?.[1]);
}

/** Ends the receiver, which flushes its head; returns what it had used in the end, to within a few milliseconds. */
async function stop(receiver: ReceiverProcess): Promise<CpuMillis> {
  let last = readReceiver(receiver);
  let isGone = false;
  const ended = receiver.stop("SIGTERM").then(() => {
    isGone = true;
  });
  while (!isGone) {
    const now = readReceiver(receiver);
    if (now.total > last.total) last = now;
    await sleep(5);
  }
  await ended;
  return last;
}
