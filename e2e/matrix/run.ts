// Runs the programs of the matrix and writes what was run to docs/host-safety.md:
//     pnpm test:matrix [all | pairs | failed | servers by number, as 0-3]
// All take hours on two cores; `pairs` (one for each server and fault) some minutes; `failed` are those that did not pass last.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { allCells, type Cell, hostKinds, hostNodes, nameOf, pairCells, serverFaults } from "./cases.ts";
import { documentPath, formatDocument, formatRecord, readRecord, recordPath } from "./document.ts";
import { openMatrixHost } from "./run-cell.ts";

const record = readRecord();

function selectCells(selection: string): readonly Cell[] {
  if (selection === "all") return allCells;
  if (selection === "pairs") return pairCells;
  if (selection === "failed") return allCells.filter((cell) => record.cells[nameOf(cell)]?.isOk === false);
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(selection) ?? [];
  const names = serverFaults.slice(Number(first), Number(last) + 1).map(({ name }) => name);
  if (names.length === 0)
    throw new Error(`${selection}: expected all, pairs, or servers from 0 to ${serverFaults.length - 1}`);
  return allCells.filter(({ server }) => names.includes(server));
}

const cells = selectCells(process.argv[2] ?? "all");
// Each application without the SDK first: the exit code that must not change is its own.
const controls = hostKinds.flatMap(({ id: kind }) =>
  hostNodes.map((node) => ({ server: serverFaults[0]?.name ?? "", fault: "without-sdk", kind, node })),
);
const host = await openMatrixHost();
const waiting = [...controls, ...cells];
const total = waiting.length;
const failures: string[] = [];
let isStopped = false;
process.once("SIGINT", () => {
  isStopped = true;
});

async function work(): Promise<void> {
  for (let cell = waiting.shift(); cell !== undefined && !isStopped; cell = waiting.shift()) {
    const problem = await host.run(cell);
    const name = nameOf(cell);
    if (cell.fault !== "without-sdk") {
      record.cells[name] = { date: new Date().toISOString().slice(0, 10), isOk: problem === undefined };
    }
    if (problem !== undefined) {
      failures.push(name);
      console.log(`FAILED ${name}: ${problem}`);
    }
    const done = total - waiting.length;
    if (done % 50 === 0) console.log(`${done} of ${total}, ${failures.length} failed`);
  }
}

try {
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
} finally {
  await host.close();
}
writeFileSync(recordPath, formatRecord(record));
writeFileSync(documentPath, formatDocument(record));
console.log(`${total - waiting.length} programs, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
