import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import * as workerThreads from "node:worker_threads";
import type { Environment } from "./resolve-config.ts";

/** What a process tells of itself without being asked to. */
export interface ProcessFacts {
  readonly environment: Environment;
  readonly hostname: string;
  /** Of the package.json beside or above the program's file. */
  readonly packageName: string | undefined;
  readonly packageVersion: string | undefined;
  /** Of the Kubernetes service account, where there is one. */
  readonly kubernetesNamespace: string | undefined;
  /** Undefined in the main thread. */
  readonly thread: { readonly id: number; readonly name: string | undefined } | undefined;
  /** Of a process that `node:cluster` forked. */
  readonly clusterWorkerId: number | undefined;
}

/** Never throws. */
export function readProcessFacts(environment: Environment): ProcessFacts {
  const { name, version } = readPackage(process.argv[1]);
  return {
    environment,
    hostname: hostname(),
    packageName: name,
    packageVersion: version,
    kubernetesNamespace: readKubernetesNamespace(environment),
    thread: workerThreads.isMainThread ? undefined : { id: workerThreads.threadId, name: readThreadName() },
    clusterWorkerId: readClusterWorkerId(),
  };
}

interface PackageFacts {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

// A program is rarely deeper in its package, and each level is one look at the disk.
const MAX_LEVELS = 10;

function readPackage(program: string | undefined): PackageFacts {
  let directory = dirname(program ?? "/");
  for (let level = 0; level < MAX_LEVELS && directory !== dirname(directory); level++) {
    const found = parsePackage(readText(join(directory, "package.json")));
    // A file that only says "type": "module" for a folder is not that of the program.
    if (found.name !== undefined || found.version !== undefined) return found;
    directory = dirname(directory);
  }
  return { name: undefined, version: undefined };
}

function parsePackage(text: string | undefined): PackageFacts {
  try {
    const { name, version } = JSON.parse(text ?? "{}");
    return {
      name: typeof name === "string" && name !== "" ? name : undefined,
      version: typeof version === "string" && version !== "" ? version : undefined,
    };
  } catch {
    return { name: undefined, version: undefined };
  }
}

function readKubernetesNamespace(environment: Environment): string | undefined {
  if (environment.KUBERNETES_SERVICE_HOST === undefined) return undefined;
  return readText("/var/run/secrets/kubernetes.io/serviceaccount/namespace")?.trim();
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Not in every Node that this package runs on. Node calls threads that have no name of their own WorkerThread. */
function readThreadName(): string | undefined {
  const name: unknown = Reflect.get(workerThreads, "threadName");
  return typeof name === "string" && name !== "" && name !== "WorkerThread" ? name : undefined;
}

/** Loads nothing in a process that nobody forked. */
function readClusterWorkerId(): number | undefined {
  if (process.connected !== true || !workerThreads.isMainThread) return undefined;
  const worker: unknown = Reflect.get(process.getBuiltinModule("node:cluster"), "worker");
  return worker !== null && typeof worker === "object" && "id" in worker && typeof worker.id === "number"
    ? worker.id
    : undefined;
}
