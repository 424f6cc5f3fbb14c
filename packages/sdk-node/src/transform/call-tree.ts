import { fileURLToPath } from "node:url";
import type { LocationIndex, ProfileBuilder } from "@pyroscope-ts/protocol";
import type { SampleLabels } from "../labels/sample-labels.ts";
import type { ScriptPosition, SourceLookup, SourcePosition } from "../source-maps/script-position.ts";
import { isWrapperFrame } from "./wrapper-frames.ts";

/** A node of one of V8's call trees: a function called from the functions above it. */
export interface CallTreeNode<N> {
  readonly name: string;
  readonly scriptName: string;
  /** Line where the function begins, 1-based; 0 when not known. */
  readonly lineNumber: number;
  /** 1-based; 0 when not known. */
  readonly columnNumber?: number;
  /** True where line and column are those of a call in the function, whose own beginning is not known. */
  readonly isCall?: boolean;
  readonly children: readonly N[];
}

/** What one node spent itself, apart by label set. */
export interface NodeValue {
  readonly labels: SampleLabels | undefined;
  readonly value: number;
}

/** How often a line of a function was found to run. */
export interface LineTicks {
  /** 1-based. */
  readonly line: number;
  readonly ticks: number;
}

/** The functions that V8 gives no name. Its line is in the location, so that a name does not change when lines move. */
const ANONYMOUS_NAME = "(anonymous)";

// Between two pauses: some microseconds of work, and a look at the clock is not most of it.
const NODES_PER_STEP = 16;

// Rows of frames of a path that are not known yet, and of those that are left out.
const UNKNOWN = -1;
const LEFT_OUT = -2;

/** The nodes above and with one, root first, and the rows of their frames as far as they are known. */
interface Path {
  readonly path: readonly CallTreeNode<unknown>[];
  readonly rows: LocationIndex[];
  /** Leaf first, once a sample at the node's own line needed it: others of the node have the same. */
  stack: readonly LocationIndex[] | undefined;
}

/** How the nodes of a call tree become frames. */
export interface CallTreeOptions<N> {
  /** Cache of file names, shared by the profiles of one window. */
  readonly files: Map<string, string>;
  /** The lines that what a node spent itself is divided among; of none, it stands at the function's first. */
  readonly linesOf?: ((node: N) => readonly LineTicks[]) | undefined;
  /** Where functions and lines stand in the sources they were made from. */
  readonly sources?: SourceLookup | undefined;
}

/**
 * Adds the samples of a call tree to a profile with one sample type. The `root` itself is no frame.
 *
 * Works on any depth without recursion, and yields every few nodes. Frames are made only for paths with a value.
 */
export class CallTreeWriter<N extends CallTreeNode<N>> {
  readonly #builder: ProfileBuilder;
  readonly #files: Map<string, string>;
  readonly #linesOf: (node: N) => readonly LineTicks[];
  readonly #sources: SourceLookup | undefined;
  #carry = 0;

  constructor(builder: ProfileBuilder, { files, linesOf, sources }: CallTreeOptions<N>) {
    this.#builder = builder;
    this.#files = files;
    this.#linesOf = linesOf ?? (() => []);
    this.#sources = sources;
  }

  *add(root: N, valuesOf: (node: N) => Iterable<NodeValue>): Generator<void, void> {
    const path: N[] = [];
    // Of the frames of the path, made when the first sample below needs them.
    const rows: LocationIndex[] = [];
    const open: { readonly node: N; readonly depth: number }[] = [];
    for (const node of root.children) open.push({ node, depth: 0 });
    for (let visited = 1, next = open.pop(); next !== undefined; visited++, next = open.pop()) {
      path.length = next.depth;
      path.push(next.node);
      rows.length = next.depth;
      rows.push(UNKNOWN);
      const lines = this.#linesOf(next.node);
      const at: Path = { path, rows, stack: undefined };
      for (const value of valuesOf(next.node)) this.#addLines(at, lines, value);
      for (const node of next.node.children) open.push({ node, depth: next.depth + 1 });
      if (visited % NODES_PER_STEP === 0) yield;
    }
  }

  /** @param path - root first. */
  addSample(path: readonly CallTreeNode<unknown>[], labels: SampleLabels | undefined, value: number): void {
    const at: Path = { path, rows: path.map(() => UNKNOWN), stack: undefined };
    this.#addAt(at, undefined, { labels, value });
  }

  #addLines(path: Path, lines: readonly LineTicks[], nodeValue: NodeValue): void {
    if (lines.length === 0) {
      this.#addAt(path, undefined, nodeValue);
      return;
    }
    const { labels, value } = nodeValue;
    const total = lines.reduce((sum, { ticks }) => sum + ticks, 0);
    for (const { line, ticks } of lines) this.#addAt(path, line, { labels, value: (value * ticks) / total });
  }

  #addAt(path: Path, leafLine: number | undefined, { labels, value }: NodeValue): void {
    if (!(value > 0)) return;
    // What rounding takes from one sample the next has, so that the sum stays what was measured.
    const exact = value + this.#carry;
    const whole = Math.round(exact);
    this.#carry = exact - whole;
    if (whole <= 0) return;
    const labelInputs = labels?.labels.map((label) => ({ key: label.name, text: label.value })) ?? [];
    this.#builder.addSample(this.#stackAt(path, leafLine), [whole], labelInputs);
  }

  #stackAt(path: Path, leafLine: number | undefined): readonly LocationIndex[] {
    if (leafLine !== undefined) return this.#stackOf(path, leafLine);
    path.stack ??= this.#stackOf(path, undefined);
    return path.stack;
  }

  /** Leaf first. */
  #stackOf({ path, rows }: Path, leafLine: number | undefined): readonly LocationIndex[] {
    const leaf = path.length - 1;
    const stack: LocationIndex[] = [];
    for (let i = leaf; i >= 0; i--) {
      const node = path[i];
      if (node === undefined) continue;
      // Time in a wrapper itself is the SDK's own cost, which is not hidden.
      if (i === leaf) stack.push(this.#leafRow(node, rows, leafLine));
      else {
        const known = rows[i] ?? UNKNOWN;
        const row = known === UNKNOWN ? this.#callerRow(node) : known;
        rows[i] = row;
        if (row !== LEFT_OUT) stack.push(row);
      }
    }
    return stack;
  }

  #callerRow(node: CallTreeNode<unknown>): LocationIndex {
    return isWrapperFrame(node) ? LEFT_OUT : this.#locate(node, undefined);
  }

  #leafRow(node: CallTreeNode<unknown>, rows: LocationIndex[], leafLine: number | undefined): LocationIndex {
    const known = rows.at(-1) ?? UNKNOWN;
    if (leafLine !== undefined) return this.#locate(node, leafLine);
    if (known !== UNKNOWN) return known;
    const row = this.#locate(node, undefined);
    // Above other samples the same node may be a wrapper that is left out.
    if (!isWrapperFrame(node)) rows[rows.length - 1] = row;
    return row;
  }

  /** @param ranLine - the line that ran, or undefined for the function's first. */
  #locate(node: CallTreeNode<unknown>, ranLine: number | undefined): LocationIndex {
    const { scriptName, name } = node;
    const scriptLine = Math.max(0, node.lineNumber);
    const source = this.#sources?.find(positionOf(node));
    const sourceName = source?.name ?? (name === "" ? ANONYMOUS_NAME : name);
    const ownLine = source?.line ?? scriptLine;
    const startLine = node.isCall === true ? 0 : ownLine;
    const line = ranLine === undefined ? ownLine : this.#mapLine(scriptName, ranLine, source);
    const file = source?.file ?? this.#fileOf(scriptName);
    const fn = this.#builder.function({ name: sourceName, systemName: sourceName, file, startLine });
    return this.#builder.location({ lines: [{ function: fn, line }] });
  }

  /** A line of another source than the function's is that of code that a bundler moved into it. */
  #mapLine(scriptName: string, ranLine: number, source: SourcePosition | undefined): number {
    if (source === undefined) return ranLine;
    const ran = this.#sources?.find({ scriptName, line: ranLine, column: 0, name: "" });
    return ran !== undefined && ran.file === source.file && ran.line >= source.line ? ran.line : source.line;
  }

  #fileOf(scriptName: string): string {
    const known = this.#files.get(scriptName);
    if (known !== undefined) return known;
    const file = toFilePath(scriptName);
    this.#files.set(scriptName, file);
    return file;
  }
}

/** What of a node's position a source map is asked for. What stands before a call is not its function's name. */
export function positionOf(node: CallTreeNode<unknown>): ScriptPosition {
  const { scriptName, lineNumber, columnNumber = 0, name, isCall = false } = node;
  return { scriptName, line: Math.max(0, lineNumber), column: columnNumber, name: isCall ? "" : name };
}

/** ES modules have URLs as script names; files are paths in profiles, whatever the module system. */
function toFilePath(scriptName: string): string {
  if (!scriptName.startsWith("file://")) return scriptName;
  try {
    // A loader's query (`?t=1`) is part of the URL, not of the file.
    return fileURLToPath(scriptName);
  } catch {
    return scriptName.slice("file://".length);
  }
}
