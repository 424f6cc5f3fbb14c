import type { Tree } from "@pyroscope-ts/protocol";
import { formatShare } from "../format/format-value.ts";
import type { FlameNode } from "../layout/flame-graph.ts";
import type { FrameFacts } from "./flame-tooltip.tsx";

/** How a frame's numbers are said. */
export interface DescribeOptions {
  readonly format: (value: number) => string;
  readonly whole: number;
  readonly focusTotal: number;
  readonly isFocused: boolean;
}

/** A frame of a tree in words. */
export function describeFrame(tree: Tree, node: FlameNode, options: DescribeOptions): FrameFacts {
  const { format, whole, focusTotal, isFocused } = options;
  const name = tree.names[tree.name[node] ?? 0] ?? "";
  const total = tree.total[node] ?? 0;
  const self = tree.self[node] ?? 0;
  const share = (value: number, of: number): string => formatShare(of > 0 ? value / of : 0);
  const rows = [
    { label: "Total", value: `${format(total)} · ${share(total, whole)}` },
    { label: "Self", value: `${format(self)} · ${share(self, whole)}` },
    ...(isFocused ? [{ label: "Of the focused frame", value: share(total, focusTotal) }] : []),
  ];
  const depth = tree.level[node] ?? 0;
  return {
    name,
    rows,
    caller: findCaller(tree, node),
    summary: `${name}, total ${format(total)}, ${share(total, whole)}, self ${format(self)}, ${share(self, whole)}, depth ${depth}`,
  };
}

/** Name of the frame that a frame was called from; "" for the root and what stands on it. */
export function findCaller(tree: Pick<Tree, "names" | "name" | "parent">, node: FlameNode): string {
  const above = tree.parent[node] ?? -1;
  return above > 0 ? (tree.names[tree.name[above] ?? 0] ?? "") : "";
}
