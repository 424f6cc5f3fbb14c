import { badServers, type ServerFault } from "../harness/bad-servers.ts";
import { startFakeReceiver } from "../harness/fake-receiver.ts";
import { allNodes } from "../harness/run-program.ts";

/** Something inside the process that goes wrong. */
interface HostFault {
  /** What `HOST_FAULT` of `fixtures/host` is for it. */
  readonly id: string;
  readonly text: string;
  /** True where the fault says so when it happens, which a run must show. */
  readonly isSaid: boolean;
  /** True for a fault of the helper thread, which a bundle does not have. */
  readonly isOfThread?: boolean;
}

/** A kind of application. */
interface HostKind {
  readonly id: string;
  readonly text: string;
}

/** One program of the matrix. */
export interface Cell {
  readonly server: string;
  readonly fault: string;
  readonly kind: string;
  readonly node: string;
}

/** A cell as the record names it. */
export const nameOf = ({ server, fault, kind, node }: Cell): string =>
  [server, fault, kind, node].join(" | ");

export const serverFaults: readonly ServerFault[] = [
  { name: "takes everything", open: () => startFakeReceiver() },
  ...badServers,
];

export const hostFaults: readonly HostFault[] = [
  { id: "none", text: "nothing", isSaid: false },
  { id: "encode", text: "gzip throws, on every thread", isSaid: true },
  { id: "helper-thread", text: "the helper thread cannot be started", isSaid: true, isOfThread: true },
  { id: "helper-dies", text: "the helper thread ends in the middle", isSaid: true, isOfThread: true },
  { id: "profiler", text: "reading the profiler throws", isSaid: true },
  { id: "source-map", text: "a source map ends the helper thread", isSaid: true, isOfThread: true },
  { id: "label-callback", text: "the function that gives the labels throws", isSaid: true },
  { id: "logger", text: "the program's logger throws", isSaid: true },
  { id: "no-native", text: "there is no native profiler", isSaid: true },
  { id: "read-only", text: "the file system is read-only, with the exporter `file`", isSaid: true },
  { id: "bad-config", text: "six options have values that cannot be used", isSaid: false },
  { id: "double-start", text: "`start()` three times", isSaid: false },
  { id: "stop-before-start", text: "`stop()` before `start()`", isSaid: false },
];

export const hostKinds: readonly HostKind[] = [
  { id: "esm", text: "ESM program" },
  { id: "cjs", text: "CommonJS program" },
  { id: "bundled", text: "`node:http`, bundled into one file without its native profiler" },
  { id: "http", text: "`node:http`" },
  { id: "express", text: "Express" },
  { id: "fastify", text: "Fastify" },
  { id: "koa", text: "Koa" },
  { id: "worker", text: "worker thread beside the main thread" },
  { id: "cluster", text: "cluster of two processes" },
];

export const hostNodes: readonly string[] = ["20", "22", "24", "26"];

/** Every program of the matrix. */
export const allCells: readonly Cell[] = serverFaults.flatMap(({ name: server }) =>
  hostFaults.flatMap(({ id: fault }) =>
    hostKinds.flatMap(({ id: kind }) => hostNodes.map((node) => ({ server, fault, kind, node }))),
  ),
);

function at<T>(list: readonly T[], index: number): T {
  const value = list[((index % list.length) + list.length) % list.length];
  if (value === undefined) throw new RangeError("an empty list of cases");
  return value;
}

/** One cell for each pair of a server and a fault; among them every pair of any two sides of the matrix. */
export const pairCells: readonly Cell[] = serverFaults.flatMap(({ name: server }, i) =>
  hostFaults.map(({ id: fault }, j) => ({
    server,
    fault,
    kind: at(hostKinds, i + j).id,
    node: at(hostNodes, j - i),
  })),
);

/** A few cells, with each server, fault, kind and Node line once at least. */
export const sampleCells: readonly Cell[] = serverFaults.map(({ name: server }, i) => ({
  server,
  fault: at(hostFaults, i).id,
  kind: at(hostKinds, i).id,
  node: at(hostNodes, i),
}));

/** The path of a Node line. */
export function findNode(major: string): string {
  const node = allNodes.find((line) => line.major === major);
  if (node === undefined) throw new Error(`Node ${major} is not installed: run npm run setup on Linux x64`);
  return node.path;
}
