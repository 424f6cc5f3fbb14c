import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { findListeningPorts } from "./listening-ports.ts";
import type { TargetProcess } from "./target-process.ts";
import { attachError } from "./target-process.ts";

interface FoundInspector {
  readonly port: number;
  readonly webSocketUrl: string;
}

/** The open inspector of a process. */
export interface InspectorPort extends FoundInspector {
  /** False when it was open before: then it stays open. */
  readonly isOpenedByUs: boolean;
}

const DEFAULT_PORT = 9229;

// Node opened it within 150 ms on a busy machine; a thread in native code answers when it comes back.
const OPEN_TIMEOUT_MS = 10_000;
const POLL_MS = 25;
const OLDER_AFTER_MS = 1000;

/**
 * Opens the inspector of a process by SIGUSR1, or finds the one that is open.
 *
 * @throws {@link SdkError} `ATTACH_FAILED` when it does not open.
 */
export async function openInspectorPort(target: TargetProcess): Promise<InspectorPort> {
  const { pid } = target;
  const expected = findConfiguredPort(target.args);
  const before = await findListeningPorts(pid);
  if (expected !== 0 && !before?.has(expected) && (await isTaken(expected))) throw portTaken(pid, expected);
  const open = before?.has(expected) ? await readWebSocketUrl(expected) : undefined;
  if (open !== undefined) return { port: expected, webSocketUrl: open, isOpenedByUs: false };
  process.kill(pid, "SIGUSR1");
  const startMs = performance.now();
  while (performance.now() - startMs < OPEN_TIMEOUT_MS) {
    await sleep(POLL_MS);
    const ports = (await findListeningPorts(pid)) ?? new Set([expected]);
    const opened = await findInspector([...ports].filter((port) => !before?.has(port)));
    if (opened !== undefined) return { ...opened, isOpenedByUs: true };
    // It was open at a port of its own choice: the signal then opens no other.
    const older =
      performance.now() - startMs < OLDER_AFTER_MS ? undefined : await findInspector(before ?? []);
    if (older !== undefined) return { ...older, isOpenedByUs: false };
  }
  throw didNotOpen(pid);
}

async function findInspector(ports: Iterable<number>): Promise<FoundInspector | undefined> {
  for (const port of ports) {
    const webSocketUrl = await readWebSocketUrl(port);
    if (webSocketUrl !== undefined) return { port, webSocketUrl };
  }
  return undefined;
}

/** Resolves to true when the process no longer listens at `port`. */
export async function waitForClose(pid: number, port: number, timeoutMs: number): Promise<boolean> {
  const startMs = performance.now();
  while (performance.now() - startMs < timeoutMs) {
    const ports = await findListeningPorts(pid);
    if (ports === undefined ? !(await isTaken(port)) : !ports.has(port)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** The port of `--inspect`, `--inspect-port` and their like; the last one counts, and a host before it does not. */
function findConfiguredPort(args: readonly string[]): number {
  let port = DEFAULT_PORT;
  for (const arg of args) {
    const value = /^--(?:inspect|inspect-brk|inspect-wait|inspect-port|debug-port)=(?:.*:)?(\d+)$/.exec(
      arg,
    )?.[1];
    if (value !== undefined) port = Number(value);
  }
  return port;
}

interface InspectedPage {
  readonly webSocketDebuggerUrl?: string;
  readonly type?: string;
}

/** Undefined where no inspector of Node answers, or one that is in use. */
async function readWebSocketUrl(port: number): Promise<string | undefined> {
  try {
    const pages = JSON.parse(await readText(port, "/json/list")) as readonly InspectedPage[];
    return pages.find(({ type }) => type === "node")?.webSocketDebuggerUrl;
  } catch {
    return undefined;
  }
}

async function isTaken(port: number): Promise<boolean> {
  return await readText(port, "/json/version").then(
    () => true,
    (error: unknown) => !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED"),
  );
}

function readText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // No connection may be left when the inspector is closed: see closeInspectorInTarget.
    const request = get({ host: "127.0.0.1", port, path, agent: false, timeout: 2000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve(text));
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 2000 ms")));
    request.on("error", reject);
  });
}

function portTaken(pid: number, port: number): Error {
  return attachError(
    `the inspector of PID ${pid} cannot open: port ${port} is taken by another process. End that, or start the program with --inspect-port=0`,
  );
}

function didNotOpen(pid: number): Error {
  return attachError(
    `the inspector of PID ${pid} did not open within ${OPEN_TIMEOUT_MS} ms after SIGUSR1: the program handles that signal itself, its thread is in native code, or a debugger is attached`,
  );
}
