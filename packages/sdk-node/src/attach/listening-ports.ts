import { readdir, readFile, readlink } from "node:fs/promises";

const LISTEN = "0A";

/**
 * The TCP ports at which a process of this network namespace listens, from Linux's `/proc`; undefined where that cannot
 * be read.
 */
export async function findListeningPorts(pid: number): Promise<ReadonlySet<number> | undefined> {
  try {
    const inodes = await readSocketInodes(pid);
    const ports = new Set<number>();
    for (const file of ["tcp", "tcp6"]) {
      const table = await readFile(`/proc/${pid}/net/${file}`, "utf8").catch(() => "");
      for (const line of table.split("\n").slice(1)) {
        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state === LISTEN && inode !== undefined && inodes.has(inode)) {
          ports.add(Number.parseInt(local?.split(":")[1] ?? "", 16));
        }
      }
    }
    return ports;
  } catch {
    return undefined;
  }
}

async function readSocketInodes(pid: number): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    // It may be closed by now.
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}
