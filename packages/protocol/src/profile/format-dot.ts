import { type CallGraph, type CallGraphEdge, type CallGraphNode, toCallGraph } from "./call-graph.ts";
import { formatValue } from "./format-value.ts";
import type { Tree } from "./tree.ts";

/** What {@link formatDot} draws, and how it is labelled. */
export interface DotOptions {
  /** Most functions; those with the largest totals stay. */
  readonly maxNodes: number;
  /** Unit of the tree's values, as pprof names it: `nanoseconds`, `bytes`, `count`. */
  readonly unit: string;
  /** Stands over the graph. */
  readonly title: string;
}

// Points. A function that is nearly all of the profile is about three times as large as one that is nearly nothing.
const MIN_FONT_SIZE = 8;
const FONT_SIZE_RANGE = 16;
const PEN_WIDTH_RANGE = 5;

/**
 * Writes a tree as a call graph in Graphviz's language: a box for each function, an arrow for each call, dashed where
 * functions between the two were left out.
 *
 * Names can hold anything: whatever the language gives a meaning is escaped.
 *
 * Source: graphviz.org/doc/info/lang.html.
 *
 * @returns the text, which ends in a line feed; empty for a tree without values.
 */
export function formatDot(tree: Tree, options: DotOptions): string {
  const graph = toCallGraph(tree, options.maxNodes);
  if (graph.total === 0) return "";
  const lines = [
    `digraph ${quote(options.title)} {`,
    `label=${quote(`${options.title}\n${formatValue(graph.total, options.unit)} total`)} labelloc="t"`,
    'node [shape="box" fontname="sans-serif"]',
    ...graph.nodes.map((node, index) => formatNode(node, index, graph, options.unit)),
    ...graph.edges.map((edge) => formatEdge(edge, graph, options.unit)),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function formatNode({ name, self, total }: CallGraphNode, index: number, graph: CallGraph, unit: string) {
  const text =
    `${name}\n${formatValue(self, unit)} (${percent(self, graph)}) of ` +
    `${formatValue(total, unit)} (${percent(total, graph)})`;
  const fontSize = MIN_FONT_SIZE + Math.round(FONT_SIZE_RANGE * Math.sqrt(self / graph.total));
  return `N${index} [label=${quote(text)} fontsize=${fontSize}]`;
}

function formatEdge({ from, to, total, isDirect }: CallGraphEdge, graph: CallGraph, unit: string): string {
  const penWidth = 1 + Math.round(PEN_WIDTH_RANGE * (total / graph.total));
  const style = isDirect ? "" : ' style="dashed"';
  return `N${from} -> N${to} [label=${quote(formatValue(total, unit))} penwidth=${penWidth}${style}]`;
}

function percent(value: number, { total }: CallGraph): string {
  return `${Number(((value / total) * 100).toFixed(2))}%`;
}

/** In quotes `\N` and the like have a meaning as much as `"` has, so that every backslash is doubled. */
function quote(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ");
  return `"${escaped}"`;
}
