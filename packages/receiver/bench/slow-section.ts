import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import type { SlowClientCounts } from "../../../e2e/harness/slow-clients.ts";
import { PushClient } from "./push-client.ts";
import { createPushSource, NODE_LIKE } from "./pushes.ts";
import { printTable } from "./table.ts";

const COUNTS = { headers: 500, bodies: 500, neverReading: 200 };
const PUSH_COUNT = 200;
const MAX_WAIT_MS = 120_000;

/** Slow clients in a process of their own. */
function startSlowClients(
  address: string,
  counts: SlowClientCounts,
): { readonly open: Promise<void>; readonly closed: Promise<void> } {
  const script = fileURLToPath(new URL("slow-process.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, address, JSON.stringify(counts)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout);
  const said = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      lines.on("line", (line) => line === word && resolve());
      child.once("exit", (code) => reject(new Error(`the slow clients ended with ${code}`)));
    });
  return { open: said("open"), closed: said("closed") };
}

/** What slow clients cost others, and when the receiver is rid of them, with default time-outs. */
export async function benchSlowClients(): Promise<void> {
  const directory = await makeDataDirectory();
  const receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
  const descriptors = (): number => readdirSync(`/proc/${receiver.process.pid}/fd`).length;
  const source = createPushSource(NODE_LIKE);
  const client = new PushClient(receiver.address, 1);
  const pushWhile = async (isGoing: (count: number) => boolean): Promise<number> => {
    const millis: number[] = [];
    for (let i = 0; isGoing(i); i++) {
      const begin = performance.now();
      const status = await client.push(source.next().body);
      if (status !== 200) throw new Error(`a push beside slow clients was answered ${status}`);
      millis.push(performance.now() - begin);
    }
    return millis.toSorted((left, right) => left - right)[Math.floor(0.99 * millis.length)] ?? 0;
  };
  const pushAll = () => pushWhile((count) => count < PUSH_COUNT);
  await pushAll();
  const alone = await pushAll();
  const before = descriptors();
  const begin = performance.now();
  const slow = startSlowClients(receiver.address, COUNTS);
  let isOpen = false;
  void slow.open.then(() => {
    isOpen = true;
  });
  const connecting = await pushWhile(() => !isOpen);
  const held = descriptors() - before;
  const beside = await pushAll();
  await slow.closed;
  const closedSeconds = (performance.now() - begin) / 1000;
  // Files that were being sent are closed a moment after their sockets.
  while (descriptors() > before && performance.now() - begin < MAX_WAIT_MS) await sleep(100);
  const returnedSeconds = (performance.now() - begin) / 1000;
  client.close();
  printTable(
    `${COUNTS.headers} slow heads, ${COUNTS.bodies} slow bodies, ${COUNTS.neverReading} that never read`,
    ["what", "measured", "goal"],
    [
      ["push alone, ms p99", alone.toFixed(1), ""],
      ["push while they connect, ms p99", connecting.toFixed(1), ""],
      ["push beside them, ms p99", beside.toFixed(1), (2 * alone).toFixed(1)],
      ["all closed after, s", closedSeconds.toFixed(1), "30"],
      ["descriptors held by them", String(held), ""],
      ["descriptors returned after, s", returnedSeconds.toFixed(1), "30"],
      ["descriptors left", String(Math.max(0, descriptors() - before)), "0"],
    ],
  );
  await receiver.stop();
  await directory.remove();
}
