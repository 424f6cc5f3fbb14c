import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { nodeLines } from "./processes.ts";

/** How a program ended. */
export interface ProgramResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface RunningProgram {
  readonly process: ChildProcess;
  readonly result: Promise<ProgramResult>;
  /** Resolves when standard output contains `text`, in that many lines where a number is given. */
  readonly waitForOutput: (text: string, lineCount?: number) => Promise<void>;
}

/** Every Node under test: the one that runs the tests and the other lines. */
export const allNodes: readonly { major: string; path: string }[] = [
  { major: process.versions.node.split(".")[0] ?? "", path: process.execPath },
  ...nodeLines,
];

/** The path of `e2e/fixtures/<name>`. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Starts a fixture so that an unhandled rejection ends it with an error. Its environment is `env` and nothing else. */
export function runProgram(
  node: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin: "ignore" | "pipe" = "ignore",
  cwd?: string,
): RunningProgram {
  const child = spawn(node, ["--unhandled-rejections=strict", ...args], {
    cwd,
    env: { ...env },
    stdio: [stdin, "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let printed = () => {};
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    printed();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const result = new Promise<ProgramResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    process: child,
    result,
    async waitForOutput(text, lineCount = 0) {
      while (!stdout.includes(text) || stdout.split("\n").length <= lineCount) {
        await Promise.race([
          new Promise<void>((resolve) => {
            printed = resolve;
          }),
          result.then(({ code, stderr: errors }) => {
            throw new Error(`exited with ${code} before it printed ${text}: ${errors}`);
          }),
        ]);
      }
    },
  };
}
