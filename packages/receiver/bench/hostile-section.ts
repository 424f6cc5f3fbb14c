import { readFileSync } from "node:fs";
import { makeDataDirectory, startReadyReceiver } from "../../../e2e/harness/receiver-process.ts";
import { createHostileBodies } from "./hostile-bodies.ts";
import { loopLag } from "./loop-lag.ts";
import { printTable } from "./table.ts";
import { readThreadCpu, subtractCpu } from "./thread-cpu.ts";

/** What uploads that are made to be slow cost the thread that speaks HTTP, the storage thread, and memory. */
export async function benchHostileBodies(): Promise<void> {
  const directory = await makeDataDirectory();
  const receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
  const pid = receiver.process.pid ?? 0;
  const cpu = () => {
    const millis = readThreadCpu(pid);
    if (millis === undefined) throw new Error("the receiver is gone");
    return millis;
  };
  const rows: (readonly string[])[] = [];
  for (const { what, path, headers, body, atOnce = 1 } of createHostileBodies()) {
    await loopLag(receiver.address);
    const before = cpu();
    const peak = peakMb(pid);
    const send = async (): Promise<number> => {
      const response = await fetch(`${receiver.address}${path}`, { method: "POST", headers, body });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses = new Set(await Promise.all(Array.from({ length: atOnce }, send)));
    const used = subtractCpu(cpu(), before);
    rows.push([
      what,
      (body.length / 1000).toFixed(0),
      [...statuses].join(", "),
      String(used.http),
      (await loopLag(receiver.address)).toFixed(0),
      String(used.storage),
      (peakMb(pid) - peak).toFixed(0),
    ]);
  }
  const head = [
    "upload",
    "kB",
    "status",
    "HTTP thread, CPU ms",
    "its loop late, ms",
    "storage, CPU ms",
    "MB more",
  ];
  printTable("Uploads that are made to be slow, one after the other", head, rows);
  await receiver.stop();
  await directory.remove();
}

/** The most memory that a process had, in MB. Linux. */
function peakMb(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}
