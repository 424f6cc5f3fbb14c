import process from "node:process";
import { describeError } from "../errors.ts";
import type { Environment } from "../resolve-config.ts";
import { PACKAGE_VERSION } from "../version.ts";
import { runAttach } from "./attach-command.ts";
import { runExec } from "./exec-command.ts";
import { settingFlags } from "./flags.ts";

const USAGE = `pyroscope-node: profiles Node programs that know nothing of it

  pyroscope-node exec [--flag value ...] -- node app.js   every Node process of the command
  pyroscope-node attach PID [--flag value ...]            a process that runs, for --duration (10s)

attach writes to --output FILE, sends to the server under --application-name NAME, or both.
Every option of start() with an environment variable is a flag:
${settingFlags.map((flag) => `  ${flag}\n`).join("")}`;

/** Runs the command line; never rejects. The exit code of bad usage is 2, of anything else that went wrong 1. */
export async function main(): Promise<void> {
  // biome-ignore lint/style/noProcessEnv: the command line hands its environment to the commands
  const environment: Environment = process.env;
  const [command, ...args] = process.argv.slice(2);
  try {
    if (command === "exec") await runExec(args, environment);
    else if (command === "attach") await runAttach(args, environment);
    else if (command === "--version") process.stdout.write(`${PACKAGE_VERSION}\n`);
    else if (command === "--help") process.stdout.write(USAGE);
    else fail(USAGE, 2);
  } catch (error) {
    const isUsage = error instanceof Error && "code" in error && error.code === "CONFIG_INVALID";
    fail(`pyroscope-node: ${describeError(error)}\n`, isUsage ? 2 : 1);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(message);
  process.exitCode = exitCode;
}
