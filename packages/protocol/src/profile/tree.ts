/** Row of a {@link Tree}. */
export type NodeIndex = number;

/** The `parent` of the root. */
export const NO_PARENT = -1;
/** Name of the root of every tree, as Pyroscope calls it. */
export const ROOT_NAME = "total";
/** Name of the leaf that stands for what {@link Tree} truncation removed, as Pyroscope calls it. */
export const OTHER_NAME = "other";

/**
 * A flame graph's tree, in columns.
 *
 * Rows are in **pre-order**: a node, then its children's subtrees one after the other; so `parent[i] < i`, and
 * the subtree of `i` is the rows from `i` to the next row whose level is not greater. Row 0 is the root, named
 * {@link ROOT_NAME}. Children of one node are in byte-wise order of their names, each name once, except that
 * {@link OTHER_NAME} comes last.
 *
 *     row     0      1     2       3      4
 *     name    total  main  handle  parse  idle
 *     level   0      1     2       3      2
 *     parent  -1     0     1       2      1       main → handle → parse, main → idle
 *
 * `total[i] = self[i] + Σ total[child]`. Values are float64: exact up to 2^53, rounded beyond.
 */
export interface Tree {
  readonly length: number;
  /** One copy of each name. */
  readonly names: readonly string[];
  /** Row of `names`. */
  readonly name: Uint32Array;
  /** Distance from the root, which is at 0. */
  readonly level: Uint32Array;
  readonly parent: Int32Array;
  /** Value of the samples that end here. */
  readonly self: Float64Array;
  /** Value of the samples that pass through here. */
  readonly total: Float64Array;
}

/**
 * Two trees laid over each other: the union of their nodes, in the shape and order of a {@link Tree}. A node
 * that a side lacks has zeros on that side.
 */
export interface DiffTree {
  readonly length: number;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly level: Uint32Array;
  readonly parent: Int32Array;
  readonly leftSelf: Float64Array;
  readonly leftTotal: Float64Array;
  readonly rightSelf: Float64Array;
  readonly rightTotal: Float64Array;
}

/**
 * Stacks with values, the input of a tree: stack `i` has the frames `frame[frameStart[i] .. frameStart[i + 1]]`,
 * **root first**, each a row of `names`, and the value `value[i]`. A stack may stand here several times.
 */
export interface StackList {
  readonly length: number;
  readonly names: readonly string[];
  /** `length + 1` rows. */
  readonly frameStart: Uint32Array;
  readonly frame: Uint32Array;
  readonly value: Float64Array;
}
