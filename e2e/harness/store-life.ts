import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../packages/receiver/src/clock.ts";
import { openStore } from "../../packages/receiver/src/store/local-store.ts";
import { nodeFs } from "../../packages/receiver/src/store/node-fs.ts";
import { expandPlain } from "../../packages/receiver/src/store/testing/plain-profile.ts";
import { foldStacks } from "../../packages/receiver/src/store/testing/store-directory.ts";
import { compileCache } from "./compile-cache.ts";

const program = fileURLToPath(
  new URL("../../packages/receiver/src/store/testing/store-life.ts", import.meta.url),
);
const TENANTS = ["a", "b"];

/** How a life of a store ended. */
export interface StoreLife {
  /** `TENANT LEAF` of each profile that was said to be durable. */
  readonly acknowledged: readonly string[];
  /** It came to its end. */
  readonly isDone: boolean;
  readonly stderr: string;
}

/** How a life is run. */
export interface StoreLifeOptions {
  readonly directory: string;
  /** Begins the names of its profiles; another one for each life in a directory. */
  readonly name: string;
  /** `patient`: a loop that goes on with what was refused until it is taken. */
  readonly mode: "script" | "loop" | "patient";
  /** What runs it, such as strace with its arguments. */
  readonly wrapper?: readonly string[];
  /** Kills it so long after its store is open. */
  readonly killAfterMs?: number;
  /** Kills it when this is done. @param count - Lines so far that begin with a word. */
  readonly until?: (count: (word: "acknowledged" | "refused") => number) => Promise<void>;
}

/** Runs a store in a process of its own, all its disk accesses on one thread, until it ends or is killed. */
export async function runStoreLife(options: StoreLifeOptions): Promise<StoreLife> {
  const { directory, name, mode, wrapper = [], killAfterMs, until } = options;
  const node = [process.execPath, "--conditions=@pyroscope-ts/source", program, directory, name, mode];
  const [command = "", ...args] = [...wrapper, ...node];
  const child = spawn(command, args, {
    env: { ...compileCache, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes("ready")) resolve();
    });
    void ended.then(resolve);
  });
  if (killAfterMs !== undefined) {
    await sleep(killAfterMs);
    child.kill("SIGKILL");
  }
  if (until !== undefined) {
    await Promise.race([until((word) => stdout.split(`${word} `).length - 1), ended]);
    child.kill("SIGKILL");
  }
  await ended;
  // The last line may be cut.
  const lines = stdout.split("\n").slice(0, -1);
  const acknowledged = lines.flatMap((line) => /^acknowledged (.*)$/.exec(line)?.[1] ?? []);
  return { acknowledged, isDone: lines.includes("done"), stderr };
}

/** What a store has after a life: `TENANT LEAF` of each profile, as often as it counts, and how long its opening took. */
export async function readStore(
  directory: string,
): Promise<{ readonly stored: readonly string[]; readonly openMs: number }> {
  const begin = performance.now();
  const store = await openStore({
    ...{ directory, fs: nodeFs, clock: systemClock, expand: expandPlain, retentionMillis: 0 },
    log: () => undefined,
  });
  const openMs = performance.now() - begin;
  const stored: string[] = [];
  for (const tenant of TENANTS) {
    for (const line of await foldStacks(store, tenant)) {
      const [, leaf = "", count] = /;(\S+) (\d+)$/.exec(line) ?? [];
      for (let i = 0; i < Number(count); i++) stored.push(`${tenant} ${leaf}`);
    }
  }
  await store.close();
  return { stored, openMs };
}

/** What of a ledger is missing in a store, and what counts more than once. */
export function compareLedger(
  acknowledged: Iterable<string>,
  stored: readonly string[],
): { readonly lost: readonly string[]; readonly repeated: readonly string[] } {
  const known = new Set<string>();
  const repeated = stored.filter((name) => {
    const isRepeated = known.has(name);
    known.add(name);
    return isRepeated;
  });
  return { lost: [...acknowledged].filter((name) => !known.has(name)), repeated };
}

/** Whether strace is there and may trace. */
export const canTrace: boolean = spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status === 0;

/** How often a scripted life makes each of these system calls on the thread that makes most of them. */
export async function countCalls(
  directory: string,
  calls: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const logDirectory = await mkdtemp(join(tmpdir(), "strace-"));
  const log = join(logDirectory, "log");
  const wrapper = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", `trace=${calls.join(",")}`, "-o", log];
  const life = await runStoreLife({ directory, name: "counted", mode: "script", wrapper });
  if (!life.isDone) throw new Error(`the life under strace did not end: ${life.stderr}`);
  const counts = new Map<string, Map<string, number>>(calls.map((call) => [call, new Map()]));
  for (const [, thread = "", call = ""] of readFileSync(log, "utf8").matchAll(/^(\d+) +(\w+)\(/gm)) {
    const threads = counts.get(call);
    threads?.set(thread, (threads.get(thread) ?? 0) + 1);
  }
  await rm(logDirectory, { recursive: true });
  return new Map([...counts].map(([call, threads]) => [call, Math.max(0, ...threads.values())]));
}
