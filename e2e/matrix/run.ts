// Runs the programs of the matrix and writes what was run to docs/host-safety.md:
//     pnpm test:matrix [all | pairs | failed | rest | again | kind of application | servers by number, as 0-3] [seconds]
// All take hours on two cores; `pairs` (one for each server and fault) some minutes; `failed` are those that did not pass last;
// `rest` are those that were never run, `again` those that were, a kind as `worker` those of it: oldest first. With seconds, as
// many of them as fit.
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
  if (selection === "rest") return spread(allCells).filter((cell) => dateOf(cell) === "");
  if (selection === "again") return oldestFirst(spread(allCells).filter((cell) => dateOf(cell) !== ""));
  if (hostKinds.some(({ id }) => id === selection))
    return oldestFirst(spread(allCells).filter(({ kind }) => kind === selection));
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(selection) ?? [];
  const names = serverFaults.slice(Number(first), Number(last) + 1).map(({ name }) => name);
  if (names.length === 0)
    throw new Error(
      `${selection}: expected all, pairs, failed, rest, again, a kind of application, or servers from 0 to ${serverFaults.length - 1}`,
    );
  return allCells.filter(({ server }) => names.includes(server));
}

/** When a cell was last run; empty for never. */
function dateOf(cell: Cell): string {
  return record.cells[nameOf(cell)]?.date ?? "";
}

function oldestFirst(cells: readonly Cell[]): readonly Cell[] {
  return cells.toSorted((a, b) => dateOf(a).localeCompare(dateOf(b)));
}

/** All of them, neighbours far apart: the first few have something of every row. */
function spread(cells: readonly Cell[]): readonly Cell[] {
  // A prime that does not divide their number.
  const STEP = 1009;
  return cells.flatMap((_, i) => cells[(i * STEP) % cells.length] ?? []);
}

const selection = process.argv[2] ?? "all";
const cells = selectCells(selection);
const seconds = Number(process.argv[3]);
// Each application without the SDK first: the exit code that must not change is its own. In pieces of some seconds they would
// be most of what is run.
const controls = (seconds > 0 ? [] : hostKinds).flatMap(({ id: kind }) =>
  hostNodes.map((node) => ({ server: serverFaults[0]?.name ?? "", fault: "without-sdk", kind, node })),
);
// The SDK of these programs would hold one that it holds at all for five minutes, its `uploadTimeout`.
const LONGEST_MS = 200_000;
const host = await openMatrixHost(LONGEST_MS);
const waiting = [...controls, ...cells];
const total = waiting.length;
const failures: string[] = [];
let isStopped = false;
const end = () => {
  isStopped = true;
};
process.once("SIGINT", end);
const timer = seconds > 0 ? setTimeout(end, seconds * 1000) : undefined;

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
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
} finally {
  clearTimeout(timer);
  await host.close();
}
writeFileSync(recordPath, formatRecord(record));
writeFileSync(documentPath, formatDocument(record));
console.log(`${total - waiting.length} programs, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
