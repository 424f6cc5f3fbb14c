import { spawn } from "node:child_process";
import process from "node:process";
import { describeError, SdkError } from "../errors.ts";
import { findOwnFile } from "../own-files.ts";
import type { Environment } from "../resolve-config.ts";
import { parseFlags } from "./flags.ts";

// What a shell answers for a command that it does not find.
const NOT_FOUND = 127;

/** `node`'s own options with one more; every Node process below reads them, worker threads included. */
function addImport(nodeOptions: string | undefined, moduleUrl: string): string {
  return `${nodeOptions ?? ""} --import=${moduleUrl}`.trim();
}

/**
 * `exec -- node app.js`: runs a command in which every Node process is profiled, and ends as it ends.
 *
 * @throws {@link SdkError} `CONFIG_INVALID` for a bad flag or no command.
 */
export async function runExec(args: readonly string[], environment: Environment): Promise<void> {
  const { variables, rest } = parseFlags(args);
  const [command, ...commandArgs] = rest;
  if (command === undefined) {
    throw new SdkError("exec: expected a command, as in exec -- node app.js", { code: "CONFIG_INVALID" });
  }
  const register = findOwnFile("register").url.href;
  const child = spawn(command, commandArgs, {
    stdio: "inherit",
    env: {
      ...environment,
      ...variables,
      NODE_OPTIONS: addImport(environment.NODE_OPTIONS, register),
    },
  });
  const unwatch = forwardSignals((signal) => child.kill(signal));
  try {
    await new Promise<void>((resolve) => {
      child.once("error", (error) => {
        process.stderr.write(`pyroscope-node: running ${command}: ${describeError(error)}\n`);
        process.exitCode = NOT_FOUND;
        resolve();
      });
      child.once("exit", (code, signal) => {
        // This process ends by the same signal, which must not go on to the command.
        unwatch();
        if (signal !== null) process.kill(process.pid, signal);
        else process.exitCode = code ?? 1;
        resolve();
      });
    });
  } finally {
    unwatch();
  }
}

/** What somebody sends to this process is for the command. */
function forwardSignals(forward: (signal: NodeJS.Signals) => void): () => void {
  // A terminal sends SIGINT to both by itself; a second one would end the command before its last upload.
  const onInterrupt = (): void => {
    if (!process.stdin.isTTY) forward("SIGINT");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", forward);
  process.on("SIGHUP", forward);
  return () => {
    process.removeListener("SIGINT", onInterrupt);
    process.removeListener("SIGTERM", forward);
    process.removeListener("SIGHUP", forward);
  };
}
