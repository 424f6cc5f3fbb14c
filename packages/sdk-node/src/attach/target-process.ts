import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { SdkError } from "../errors.ts";

/** A running Node program that can be asked to open its inspector. */
export interface TargetProcess {
  readonly pid: number;
  /** The id that the process itself sees: another one where it has a PID namespace of its own. */
  readonly ownPid: number;
  /** Its command line and the `NODE_OPTIONS` that it was started with, where they can be read. */
  readonly args: readonly string[];
}

// Bit 9 of SigCgt in /proc/PID/status.
const SIGUSR1_BIT = 1n << 9n;

// What every Node prints when its inspector opens, and so what every Node binary holds, whatever its name.
const NODE_MARK = Buffer.from("Debugger listening on ");

/** An error of an attachment. */
export function attachError(message: string, cause?: unknown): SdkError {
  return new SdkError(message, { code: "ATTACH_FAILED", cause });
}

/**
 * Looks at a process before anything is sent to it: SIGUSR1 ends a program that does not expect it.
 *
 * @throws {@link SdkError} `ATTACH_FAILED` when there is no such process, it is not ours, no Node that opens its inspector,
 * or out of reach in a container.
 */
export async function findTarget(pid: number, platform: NodeJS.Platform): Promise<TargetProcess> {
  checkExists(pid);
  if (platform === "linux") return await findInProc(pid);
  if (platform === "win32")
    throw attachError("attach works on Linux and macOS: Windows has no signal for it");
  const { stdout } = await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)]);
  const args = stdout.trim().split(/\s+/);
  if (!basename(args[0] ?? "").includes("node")) throw notNode(pid, args[0] ?? "");
  return { pid, ownPid: pid, args };
}

function checkExists(pid: number): void {
  if (pid === process.pid) throw attachError(`PID ${pid} is this command itself`);
  try {
    process.kill(pid, 0);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EPERM") {
      throw attachError(
        `PID ${pid} belongs to another user: run this command as that user or as root`,
        cause,
      );
    }
    throw attachError(`there is no process with PID ${pid}`, cause);
  }
}

async function findInProc(pid: number): Promise<TargetProcess> {
  for (const [name, what] of [
    ["net", "network"],
    ["mnt", "mount"],
  ] as const) {
    const [own, its] = await Promise.all([readNamespace("self", name), readNamespace(pid, name)]);
    if (its !== own) {
      throw attachError(
        `PID ${pid} has a ${what} namespace of its own, as in a container: run this command in there`,
      );
    }
  }
  const exe = await readlink(`/proc/${pid}/exe`).catch(() => "");
  // The link's own path: the file may have been replaced by an update.
  if (!(await contains(`/proc/${pid}/exe`, NODE_MARK))) throw notNode(pid, exe);
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  if ((BigInt(`0x${caught}`) & SIGUSR1_BIT) === 0n) {
    throw attachError(
      `PID ${pid} does not listen to SIGUSR1, which would end it: it was started with --disable-sigusr1, or begins or ends now`,
    );
  }
  const ownPid = Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
  return { pid, ownPid, args: await readArgs(pid) };
}

async function readNamespace(pid: number | "self", name: string): Promise<string> {
  try {
    return await readlink(`/proc/${pid}/ns/${name}`);
  } catch (cause) {
    throw attachError(
      `PID ${pid} may not be looked at: run this command as its user with its capabilities, or as root`,
      cause,
    );
  }
}

async function readArgs(pid: number): Promise<readonly string[]> {
  const [commandLine, environment] = await Promise.all(
    ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
  );
  const nodeOptions = /(?:^|\0)NODE_OPTIONS=([^\0]*)/.exec(environment ?? "")?.[1] ?? "";
  return [...nodeOptions.split(/\s+/), ...(commandLine ?? "").split("\0")].filter((arg) => arg !== "");
}

async function contains(path: string, mark: Buffer): Promise<boolean> {
  let tail: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      const text = Buffer.concat([tail, chunk as Buffer]);
      if (text.includes(mark)) return true;
      tail = text.subarray(-mark.length);
    }
  } catch {
    return false;
  }
  return false;
}

function notNode(pid: number, exe: string): SdkError {
  return attachError(`PID ${pid} is no Node.js process${exe === "" ? "" : `: it runs ${exe}`}`);
}
