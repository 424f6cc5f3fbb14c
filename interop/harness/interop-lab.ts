import { createReceiverClient, type ReceiverClient } from "../../e2e/harness/client.ts";
import { makeDataDirectory, startReadyReceiver } from "../../e2e/harness/receiver-process.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

/** A receiver with a recorder before it. */
export interface InteropLab {
  /** Where clients send to. */
  readonly recorder: Recorder;
  /** The receiver itself: HTTP/2 does not pass the recorder. */
  readonly receiverAddress: string;
  readonly client: ReceiverClient;
  /** Values by function, of everything below and including it: `total` is everything. */
  readTotals(query: string): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** Starts a receiver for one client. */
export async function startInteropLab(): Promise<InteropLab> {
  const directory = await makeDataDirectory();
  const receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
  const recorder = await startRecorder(receiver.address);
  return {
    recorder,
    receiverAddress: receiver.address,
    client: createReceiverClient(receiver.address),
    readTotals: (query) => readTotals(receiver.address, query),
    async stop() {
      await recorder.stop();
      await receiver.stop();
      await directory.remove();
    },
  };
}

async function readTotals(address: string, query: string): Promise<ReadonlyMap<string, number>> {
  const parameters = new URLSearchParams({ query, from: "now-1h", format: "collapsed" });
  const answer = await fetch(`${address}/render?${parameters}`);
  if (!answer.ok) throw new Error(`GET /render: ${answer.status} ${await answer.text()}`);
  const totals = new Map<string, number>([["total", 0]]);
  for (const line of (await answer.text()).split("\n").filter((text) => text !== "")) {
    const space = line.lastIndexOf(" ");
    const value = Number(line.slice(space + 1));
    for (const name of new Set(["total", ...line.slice(0, space).split(";")])) {
      totals.set(name, (totals.get(name) ?? 0) + value);
    }
  }
  return totals;
}
