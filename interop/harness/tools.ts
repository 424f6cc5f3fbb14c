import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

/** A tool chain of another language. */
type Tool = "cargo" | "go" | "java" | "javac" | "mvn" | "python3";

/** The folder of programs in one language. */
export function programFolder(language: string): string {
  return fileURLToPath(new URL(`../${language}/`, import.meta.url));
}

/** What is built stays here over clones: the tool chains build from nothing for minutes. */
export function makeCacheFolder(language: string): string {
  const folder = join(
    env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), ".cache"),
    "pyroscope-ts-interop",
    language,
  );
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The tools of these that are not on the path; a test of their client is skipped, and says so. */
export function findMissingTools(tools: readonly Tool[]): readonly Tool[] {
  return tools.filter(
    (tool) => !(env.PATH ?? "").split(delimiter).some((folder) => isRunnable(join(folder, tool))),
  );
}

/** Name of a suite: what is missing stands in it when it is skipped. */
export function suiteName(client: string, missing: readonly Tool[]): string {
  return missing.length === 0 ? client : `${client} (skipped: ${missing.join(", ")} is not on the path)`;
}

/** Runs a step of a build, beside a machine's other work. */
export function build(
  command: string,
  args: readonly string[],
  folder: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  execFileSync("nice", [command, ...args], {
    cwd: folder,
    env: { ...env, ...extra },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Where a program in Go is once it is built: our clients, or `pprof`, which is `go tool pprof`. */
export function goProgram(name: "interop" | "pprof"): string {
  return join(makeCacheFolder("go"), name);
}

/** Runs a program to its end. Its last line is what it knows of its own work. */
export async function runWorkload(
  command: string,
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const child = spawn(command, args, { env: { ...env, ...extra }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
