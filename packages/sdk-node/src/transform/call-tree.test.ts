import { ProfileBuilder } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { runAtOnce } from "../profilers/slices.ts";
import type { ScriptPosition, SourcePosition } from "../source-maps/script-position.ts";
import type { CallTreeNode, LineTicks } from "./call-tree.ts";
import { CallTreeWriter } from "./call-tree.ts";

interface Node extends CallTreeNode<Node> {
  readonly children: readonly Node[];
}

/** A function of a bundle, in line 10 of it. */
const bundled = (name: string, children: readonly Node[] = []): Node => ({
  name,
  scriptName: "/srv/bundle.js",
  lineNumber: 10,
  columnNumber: 5,
  children,
});

/** The frames of the only sample, leaf first, as `name file start:line`. */
function framesOf(
  node: Node,
  find: (position: ScriptPosition) => SourcePosition | undefined,
  lines: readonly LineTicks[] = [],
): readonly string[] {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
  const writer = new CallTreeWriter<Node>(builder, {
    files: new Map(),
    linesOf: ({ children }) => (children.length === 0 ? lines : []),
    sources: { find },
  });
  const root = { ...bundled("(root)"), children: [node] };
  runAtOnce(
    writer.add(root, ({ children }) => (children.length === 0 ? [{ labels: undefined, value: 1 }] : [])),
  );
  const { samples, locations, lines: rows, functions, strings } = builder.build();
  return Array.from(samples.location, (location) => {
    const row = locations.lineStart[location] ?? 0;
    const fn = rows.function[row] ?? 0;
    const file = strings[functions.file[fn] ?? 0];
    return `${strings[functions.name[fn] ?? 0]} ${file} ${functions.startLine[fn]}:${rows.line[row]}`;
  });
}

const source = (file: string, line: number, name?: string): SourcePosition => ({ file, line, name });

describe("CallTreeWriter", () => {
  it("shows functions in their sources where those are known, and as they run where not", () => {
    const find = ({ name }: ScriptPosition) =>
      name === "a" ? source("/srv/src/cart.ts", 3, "priceCart") : undefined;

    expect(framesOf(bundled("b", [bundled("a")]), find)).toEqual([
      "priceCart /srv/src/cart.ts 3:3",
      "b /srv/bundle.js 10:10",
    ]);
  });

  it("asks for the place of a call without a name, and does not take it for the function's beginning", () => {
    const call: Node = { ...bundled("a"), isCall: true };
    const find = ({ name, line }: ScriptPosition) =>
      name === "" ? source("/srv/src/cart.ts", line + 30) : undefined;

    expect(framesOf(call, find)).toEqual(["a /srv/src/cart.ts 0:40"]);
    expect(framesOf(call, () => undefined)).toEqual(["a /srv/bundle.js 0:10"]);
  });

  it("keeps V8's name where the source gives none", () => {
    expect(framesOf(bundled("a"), () => source("/srv/src/cart.ts", 3))).toEqual(["a /srv/src/cart.ts 3:3"]);
  });

  it("shows the line that ran in its source", () => {
    const find = ({ column, line }: ScriptPosition) =>
      source("/srv/src/cart.ts", column === 0 ? line - 5 : 3);

    expect(framesOf(bundled("a"), find, [{ line: 12, ticks: 1 }])).toEqual(["a /srv/src/cart.ts 3:7"]);
  });

  it.for([
    ["is not known", undefined],
    ["is of another source", source("/srv/src/other.ts", 7)],
    ["is above the function", source("/srv/src/cart.ts", 2)],
  ] as const)("shows the function's first line where that %s", ([, ran]) => {
    const find = ({ column }: ScriptPosition) => (column === 0 ? ran : source("/srv/src/cart.ts", 3));

    expect(framesOf(bundled("a"), find, [{ line: 12, ticks: 1 }])).toEqual(["a /srv/src/cart.ts 3:3"]);
  });
});
