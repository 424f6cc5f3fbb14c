import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileCache } from "./compile-cache.ts";
import { type ProgramResult, type RunningProgram, runProgram } from "./run-program.ts";

/** The file that the command `pyroscope` runs. */
const receiverBin: string = fileURLToPath(
  new URL("../../packages/receiver/bin/pyroscope.js", import.meta.url),
);

/** A receiver that listens. */
export interface ReceiverProcess extends RunningProgram {
  /** Such as `http://127.0.0.1:4040`. */
  readonly address: string;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<ProgramResult>;
}

/** Options of {@link startReceiver}. */
export interface ReceiverProcessOptions {
  readonly directory: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `pyroscope` with any arguments. */
export function runReceiver(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  node: string = process.execPath,
): RunningProgram {
  return runProgram(node, [receiverBin, ...args], { ...compileCache, ...env });
}

/** Starts a receiver on a free port and waits until it listens. */
export async function startReceiver(options: ReceiverProcessOptions): Promise<ReceiverProcess> {
  const { directory, flags = [], env } = options;
  const args = ["server", "--api-bind-addr", "127.0.0.1:0", "--storage-path", directory, ...flags];
  const program = runReceiver(args, env);
  let line = "";
  const listening = new Promise<void>((resolve) => {
    program.process.stdout?.on("data", (chunk: Buffer) => {
      line += chunk.toString();
      if (line.includes("\n")) resolve();
    });
  });
  await Promise.race([listening, program.result]);
  const address = /^pyroscope: listening on (https?:\/\/\S+)$/m.exec(line)?.[1];
  if (address === undefined) throw new Error(`the receiver did not listen: ${(await program.result).stderr}`);
  return {
    ...program,
    address,
    async stop(signal = "SIGTERM") {
      program.process.kill(signal);
      return await program.result;
    },
  };
}

/** Starts a receiver and waits until it answers pushes and queries. */
export async function startReadyReceiver(options: ReceiverProcessOptions): Promise<ReceiverProcess> {
  const receiver = await startReceiver(options);
  await waitUntilReady(receiver.address);
  return receiver;
}

/** Asks until the receiver is ready. */
export async function waitUntilReady(address: string): Promise<void> {
  while ((await fetch(`${address}/ready`)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Makes an empty data directory; `remove` takes it away. */
export async function makeDataDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "receiver-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
