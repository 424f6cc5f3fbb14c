import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  buildCutTree,
  buildTree,
  encodePprof,
  encodeTree,
  formatCollapsed,
  formatDot,
  formatProfileType,
  formatSpeedscope,
  type Tree,
} from "@pyroscope-ts/protocol";
import type { TableName } from "../store/schema.ts";
import {
  type FrameRows,
  type StackRows,
  selectFrameNames,
  selectFrames,
  selectStacks,
} from "../store/select-stacks.ts";
import {
  type NumberedStacks,
  nameFrames,
  numberFrames,
  sumStacks,
  toStackList,
  withCallSite,
} from "./flame-graph.ts";
import { buildPprof, type PprofAnswerOptions } from "./pprof-answer.ts";
import { checkNodes, estimateStacks } from "./query-memory.ts";
import type { ExportFormat, ExportQuery, FrameNames } from "./query-service.ts";
import type { Selection } from "./selection.ts";
import type { ReadContext } from "./snapshot-reader.ts";

/** Tables that stacks and frames are read from. */
export const STACK_TABLES: readonly TableName[] = ["samples", "totals", "series", "stacks", "frames"];

const NO_FRAMES: FrameRows = {
  frame: new BigUint64Array(),
  function: [],
  systemName: [],
  file: [],
  startLine: new BigInt64Array(),
  line: new BigInt64Array(),
  inlined: new Uint8Array(),
  mapping: [],
  buildId: [],
  address: new BigUint64Array(),
};
const NO_STACKS: NumberedStacks = numberFrames({
  stack: new BigUint64Array(),
  value: new BigInt64Array(),
  frames: { start: new Uint32Array(1), items: new BigUint64Array() },
});

const gzipAsync = promisify(gzip);

export interface TreeOptions {
  /** 0: every node. */
  readonly maxNodes: number;
  readonly frameNames: FrameNames;
}

/** The tree of the selected samples. */
export async function readTree(
  context: ReadContext,
  selection: Selection,
  { maxNodes, frameNames }: TreeOptions,
): Promise<Tree> {
  const { snapshot, signal } = context;
  const rows = await readStacks(context, selection, maxNodes > 0);
  const stacks = numberFrames(rows);
  const frames = await selectFrameNames(snapshot, stacks.frames.ids(), signal);
  const functions = nameFrames(stacks.frames, frames, "function");
  const names = frameNames === "function" ? functions : nameFrames(stacks.frames, frames, frameNames);
  const picked = withCallSite(stacks, functions, selection.callSite);
  const list = toStackList(picked, names);
  if (maxNodes <= 0) return buildTree(list);
  return buildCutTree(list, maxNodes, (nodeCount) => checkNodes(nodeCount, context.maxMemoryBytes));
}

/**
 * The sums of the selected stacks, once there is memory for them and what becomes of them.
 *
 * @param isCut - whether that is a tree of their largest nodes, and no more.
 */
async function readStacks(
  context: ReadContext,
  { sampleIds }: Pick<Selection, "sampleIds">,
  isCut: boolean,
): Promise<StackRows> {
  const filter = { ...context.filter, ...sampleIds };
  await context.reserve(await estimateStacks(context, filter, isCut ? "cut tree" : "all"));
  const rows = await selectStacks(context.snapshot, filter, context.signal);
  sumStacks(rows.value);
  return rows;
}

/** The selected samples as one pprof, not compressed. */
async function readPprof(
  context: ReadContext,
  selection: Selection,
  query: ExportQuery,
): Promise<Uint8Array> {
  const { snapshot, signal } = context;
  const rows = await readStacks(context, selection, false);
  const stacks = numberFrames(rows);
  const frames = await selectFrames(snapshot, stacks.frames.ids(), signal);
  const functions = nameFrames(stacks.frames, frames, "function");
  const picked = withCallSite(stacks, functions, selection.callSite);
  return encodePprof(buildPprof(picked, frames, pprofOptions(selection, query)));
}

function pprofOptions({ profileType }: Selection, query: ExportQuery): PprofAnswerOptions {
  return {
    profileType,
    endUnixMillis: query.endUnixMillis,
    keepLocations: query.keepLocations ?? 0,
    aggregateCallees: query.aggregateCallees ?? false,
  };
}

/** What an export of nothing is: a pprof keeps its sample type, so that every tool opens it. */
export function emptyExport(selection: Selection, query: ExportQuery): Uint8Array {
  if (query.format === "pprof") {
    return encodePprof(buildPprof(NO_STACKS, NO_FRAMES, pprofOptions(selection, query)));
  }
  return encodeTreeFile(buildTree(toStackList(NO_STACKS, [])), query.format, selection, query);
}

/** The selected samples in the format that the query names. */
export async function readExport(
  context: ReadContext,
  selection: Selection,
  query: ExportQuery,
  options: TreeOptions,
): Promise<Uint8Array> {
  if (query.format === "pprof") return await readPprof(context, selection, query);
  return encodeTreeFile(await readTree(context, selection, options), query.format, selection, query);
}

// Pyroscope's default. More boxes than that are hard to read and take Graphviz long to lay out.
const DEFAULT_DOT_NODES = 100;

function encodeTreeFile(
  tree: Tree,
  format: Exclude<ExportFormat, "pprof">,
  { profileType }: Selection,
  { maxNodes }: ExportQuery,
): Uint8Array {
  const name = formatProfileType(profileType);
  const unit = profileType.sampleUnit;
  switch (format) {
    case "collapsed":
      return new TextEncoder().encode(formatCollapsed(tree));
    case "tree":
      return encodeTree(tree);
    case "dot": {
      const text = formatDot(tree, { maxNodes: maxNodes || DEFAULT_DOT_NODES, unit, title: name });
      return new TextEncoder().encode(text);
    }
    case "speedscope":
      return new TextEncoder().encode(formatSpeedscope(tree, { name, unit }));
  }
}

/** Compresses bytes, off this thread. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return await gzipAsync(bytes);
}
