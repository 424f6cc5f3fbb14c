import { compareUtf8 } from "../utf8.ts";
import { Uint32Column } from "../wire/column.ts";
import { avalanche } from "../wire/hash64.ts";
import { NO_PARENT, OTHER_NAME, ROOT_NAME } from "./tree.ts";

/** The finished rows of a tree: all of it but the values. */
export interface TreeRows {
  readonly length: number;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly level: Uint32Array;
  readonly parent: Int32Array;
  /** Node, as {@link TreeShape.child} numbered it, of each row. */
  readonly node: Uint32Array;
}

/** Node that {@link TreeShape} begins with. */
export const ROOT_NODE = 0;

/**
 * Grows a tree node by node, in any order, and then puts the nodes into the order of a {@link Tree}.
 *
 * Everything that makes a tree goes through here, so that there is one place for what all trees have in common: each
 * name once under a parent, the order of children, and that {@link OTHER_NAME} has no children.
 */
export class TreeShape {
  readonly #names: string[] = [ROOT_NAME];
  readonly #rowOfName = new Map<string, number>([[ROOT_NAME, 0]]);
  readonly #parent = new Uint32Column(64);
  readonly #name = new Uint32Column(64);
  /** Node of each used slot; 0 is empty, for the root is nobody's child. */
  #slots = new Uint32Array(256);
  #otherName = -1;
  // Random, so that nobody can send names that all fall into one slot.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;

  constructor() {
    this.#parent.push(0);
    this.#name.push(0);
  }

  get length(): number {
    return this.#name.length;
  }

  /** The row of a name, to give to {@link TreeShape.child}. */
  name(text: string): number {
    const known = this.#rowOfName.get(text);
    if (known !== undefined) return known;
    const row = this.#names.length;
    if (text === OTHER_NAME) this.#otherName = row;
    this.#rowOfName.set(text, row);
    this.#names.push(text);
    return row;
  }

  /** Rows of several names at once. */
  nameRows(texts: readonly string[]): Uint32Array {
    return Uint32Array.from(texts, (text) => this.name(text));
  }

  /** The child of that name, added when the node has none; below {@link OTHER_NAME} it is that node itself. */
  child(parent: number, name: number): number {
    if (this.#name.values[parent] === this.#otherName) return parent;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#hash(parent, name) & mask;
    for (let node = slots[slot]!; node !== 0; node = slots[slot]!) {
      if (this.#parent.values[node] === parent && this.#name.values[node] === name) return node;
      slot = (slot + 1) & mask;
    }
    const node = this.length;
    this.#parent.push(parent);
    this.#name.push(name);
    slots[slot] = node;
    if (node * 2 > slots.length) this.#growSlots();
    return node;
  }

  /** Puts the nodes into pre-order, with children in byte-wise order of their names and {@link OTHER_NAME} last. */
  finish(): TreeRows {
    const { firstChild, nextSibling } = this.#linkChildren();
    const { length } = this;
    const rows = {
      length,
      name: new Uint32Array(length),
      level: new Uint32Array(length),
      parent: new Int32Array(length).fill(NO_PARENT),
      node: new Uint32Array(length),
    };
    const names = new NameColumn(this.#names);
    const rowOfNode = new Uint32Array(length);
    let node = ROOT_NODE;
    for (let row = 0; row < length; row++) {
      rows.node[row] = node;
      rows.name[row] = names.rowOf(this.#name.values[node]!);
      rowOfNode[node] = row;
      if (node !== ROOT_NODE) {
        const parent = rowOfNode[this.#parent.values[node]!]!;
        rows.parent[row] = parent;
        rows.level[row] = rows.level[parent]! + 1;
      }
      // Down to the first child, or up to the nearest ancestor that has another one.
      let next = firstChild[node]!;
      while (next === 0 && node !== ROOT_NODE) {
        next = nextSibling[node]!;
        node = this.#parent.values[node]!;
      }
      node = next;
    }
    return { ...rows, names: names.used };
  }

  /** Lists of children in order, linked by node; 0 ends a list. */
  #linkChildren(): { firstChild: Uint32Array; nextSibling: Uint32Array } {
    const { length } = this;
    const firstChild = new Uint32Array(length);
    const nextSibling = new Uint32Array(length);
    const nodes = this.#nodesByName();
    // Backwards, each node becomes the first of its parent's list: the list ends up ascending.
    for (let i = length - 1; i >= 0; i--) {
      const node = nodes[i]!;
      if (node === ROOT_NODE) continue;
      const parent = this.#parent.values[node]!;
      nextSibling[node] = firstChild[parent]!;
      firstChild[parent] = node;
    }
    return { firstChild, nextSibling };
  }

  /** All nodes in the order of their names: only the names are compared, the nodes are counted into place. */
  #nodesByName(): Uint32Array {
    const texts = this.#names;
    const isOther = (name: number): number => (name === this.#otherName ? 1 : 0);
    const order = Uint32Array.from(texts.keys()).sort(
      (a, b) => isOther(a) - isOther(b) || compareUtf8(texts[a]!, texts[b]!),
    );
    const next = new Uint32Array(texts.length);
    for (let node = 0; node < this.length; node++) next[this.#name.values[node]!]!++;
    let start = 0;
    for (const name of order) {
      const count = next[name]!;
      next[name] = start;
      start += count;
    }
    const nodes = new Uint32Array(this.length);
    for (let node = 0; node < this.length; node++) nodes[next[this.#name.values[node]!]!++] = node;
    return nodes;
  }

  #hash(parent: number, name: number): number {
    return avalanche(avalanche(parent ^ this.#seed) ^ name);
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let node = 1; node < this.length; node++) {
      let slot = this.#hash(this.#parent.values[node]!, this.#name.values[node]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = node;
    }
    this.#slots = slots;
  }
}

/** Names in the order of their first use, so that equal trees have equal columns. */
class NameColumn {
  readonly used: string[] = [];
  readonly #names: readonly string[];
  /** Row + 1 in `used`. */
  readonly #rows: Uint32Array;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#rows = new Uint32Array(names.length);
  }

  rowOf(name: number): number {
    const known = this.#rows[name]!;
    if (known !== 0) return known - 1;
    this.used.push(this.#names[name]!);
    this.#rows[name] = this.used.length;
    return this.used.length - 1;
  }
}
