import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  buildTree,
  encodePprof,
  encodeTree,
  formatCollapsed,
  type Tree,
  truncateTree,
} from "@pyroscope-ts/protocol";
import type { TableName } from "../store/schema.ts";
import { selectFrameNames, selectFrames, selectStacks } from "../store/select-stacks.ts";
import { nameFrames, numberFrames, sumStacks, toStackList, withCallSite } from "./flame-graph.ts";
import { buildPprof } from "./pprof-answer.ts";
import type { ExportQuery, FrameNames } from "./query-service.ts";
import type { Selection } from "./selection.ts";
import type { ReadContext } from "./snapshot-reader.ts";

/** Tables that stacks and frames are read from. */
export const STACK_TABLES: readonly TableName[] = ["samples", "totals", "series", "stacks", "frames"];

const gzipAsync = promisify(gzip);

export interface TreeOptions {
  /** 0: every node. */
  readonly maxNodes: number;
  readonly frameNames: FrameNames;
}

/** The tree of the selected samples. */
export async function readTree(
  { snapshot, filter, signal }: ReadContext,
  selection: Selection,
  { maxNodes, frameNames }: TreeOptions,
): Promise<Tree> {
  const rows = await selectStacks(snapshot, { ...filter, ...selection.sampleIds }, signal);
  sumStacks(rows.value);
  const stacks = numberFrames(rows);
  const frames = await selectFrameNames(snapshot, stacks.frames.ids(), signal);
  const functions = nameFrames(stacks.frames, frames, "function");
  const names = frameNames === "function" ? functions : nameFrames(stacks.frames, frames, frameNames);
  const picked = withCallSite(stacks, functions, selection.callSite);
  return truncateTree(buildTree(toStackList(picked, names)), maxNodes);
}

/** The selected samples as one pprof, not compressed. */
export async function readPprof(
  { snapshot, filter, signal }: ReadContext,
  selection: Selection,
  query: ExportQuery,
): Promise<Uint8Array> {
  const rows = await selectStacks(snapshot, { ...filter, ...selection.sampleIds }, signal);
  sumStacks(rows.value);
  const stacks = numberFrames(rows);
  const frames = await selectFrames(snapshot, stacks.frames.ids(), signal);
  const functions = nameFrames(stacks.frames, frames, "function");
  const picked = withCallSite(stacks, functions, selection.callSite);
  const profile = buildPprof(picked, frames, {
    profileType: selection.profileType,
    endUnixMillis: query.endUnixMillis,
    keepLocations: query.keepLocations ?? 0,
    aggregateCallees: query.aggregateCallees ?? false,
  });
  return encodePprof(profile);
}

/** The selected samples in the format that the query names. */
export async function readExport(
  context: ReadContext,
  selection: Selection,
  query: ExportQuery,
  options: TreeOptions,
): Promise<Uint8Array> {
  switch (query.format) {
    case "pprof":
      return await readPprof(context, selection, query);
    case "collapsed":
      return new TextEncoder().encode(formatCollapsed(await readTree(context, selection, options)));
    case "tree":
      return encodeTree(await readTree(context, selection, options));
  }
}

/** Compresses bytes, off this thread. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return await gzipAsync(bytes);
}
