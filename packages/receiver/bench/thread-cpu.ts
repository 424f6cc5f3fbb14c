import { readdirSync, readFileSync } from "node:fs";

// Linux counts processor time in hundredths of a second whatever its timer does.
const MILLIS_PER_TICK = 10;

/** Processor time of a process so far, in milliseconds. */
export interface CpuMillis {
  readonly total: number;
  /** The thread that speaks HTTP. */
  readonly http: number;
  readonly storage: number;
  /** What is left: DuckDB's threads, the pool of libuv, garbage collection, compilation. */
  readonly others: number;
}

/** Reads what the threads of a receiver have used; undefined when it is gone. Linux, and a Node that names its threads. */
export function readThreadCpu(pid: number): CpuMillis | undefined {
  try {
    const total = cpuOf(`/proc/${pid}/stat`);
    const threads = readdirSync(`/proc/${pid}/task`);
    const http = cpuOf(`/proc/${pid}/task/${pid}/stat`);
    const storage = threads
      .filter((id) => nameOf(pid, id) === "storage")
      .reduce((sum, id) => sum + cpuOf(`/proc/${pid}/task/${id}/stat`), 0);
    return { total, http, storage, others: total - http - storage };
  } catch {
    return undefined;
  }
}

/** What was used between two readings. */
export function subtractCpu(after: CpuMillis, before: CpuMillis): CpuMillis {
  return {
    total: after.total - before.total,
    http: after.http - before.http,
    storage: after.storage - before.storage,
    others: after.others - before.others,
  };
}

function nameOf(pid: number, thread: string): string {
  return readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim();
}

function cpuOf(path: string): number {
  const stat = readFileSync(path, "utf8");
  // The second field is a name in parentheses, which may hold anything; user and system time are 12 and 13 behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MILLIS_PER_TICK;
}
