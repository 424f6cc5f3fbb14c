import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Cell,
  hostFaults,
  hostKinds,
  hostNodes,
  pairCells,
  sampleCells,
  serverFaults,
} from "./matrix/cases.ts";
import { documentPath, formatDocument, readRecord } from "./matrix/document.ts";
import { type MatrixHost, openMatrixHost } from "./matrix/run-cell.ts";

let host: MatrixHost;

beforeAll(async () => {
  host = await openMatrixHost();
});

afterAll(() => host.close());

describe("a program of the matrix", () => {
  it.concurrent.for(sampleCells)(
    "ends as it would: server that $server, fault $fault, $kind, Node $node",
    async (cell) => {
      expect(await host.run(cell)).toBeUndefined();
    },
  );

  it("fails where its exit code is another one", async () => {
    const cell = { server: "takes everything", fault: "exit-code", kind: "esm", node: "24" };

    expect(await host.run(cell)).toContain("ended with code 8");
  });
});

describe("the choice of cells", () => {
  const sides = {
    server: serverFaults.map(({ name }) => name),
    fault: hostFaults.map(({ id }) => id),
    kind: hostKinds.map(({ id }) => id),
    node: hostNodes,
  } as const;
  const names = ["server", "fault", "kind", "node"] as const;

  it.for(names)("of CI has each %s", (name) => {
    expect(new Set(sampleCells.map((cell) => cell[name]))).toEqual(new Set(sides[name]));
  });

  it("in pairs has each pair", () => {
    const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));
    const missing = pairs.filter(([a, b]) => {
      const seen = new Set(pairCells.map((cell: Cell) => `${cell[a]} ${cell[b]}`));
      return seen.size !== sides[a].length * sides[b].length;
    });

    expect(missing).toEqual([]);
  });
});

describe("docs/host-safety.md", () => {
  it("says what the cases and the record of their runs say", () => {
    expect(readFileSync(documentPath, "utf8")).toBe(formatDocument(readRecord()));
  });

  it("knows no run that failed", () => {
    expect(Object.entries(readRecord().cells).filter(([, { isOk }]) => !isOk)).toEqual([]);
  });
});
